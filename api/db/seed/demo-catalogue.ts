/** What the demo shop sells: things by category, with the range of their prices in whole units of money. */
export const demoCatalogue: readonly {
  readonly category: string;
  readonly things: readonly string[];
  readonly from: number;
  readonly to: number;
}[] = [
  {
    category: 'Books',
    things: ['Cookbook', 'Field Guide', 'Novel', 'Atlas', 'Photo Book', 'Anthology', 'Travel Journal'],
    from: 8,
    to: 60,
  },
  {
    category: 'Electronics',
    things: ['Headphones', 'Keyboard', 'Webcam', 'Power Bank', 'Radio', 'Monitor', 'Projector'],
    from: 25,
    to: 480,
  },
  { category: 'Furniture', things: ['Armchair', 'Bookcase', 'Coffee Table', 'Desk', 'Bench', 'Nightstand', 'Stool'], from: 45, to: 900 },
  { category: 'Garden', things: ['Watering Can', 'Planter', 'Pruner', 'Bird Bath', 'Hose Reel', 'Lantern', 'Parasol'], from: 9, to: 180 },
  { category: 'Grocery', things: ['Olive Oil', 'Coffee Beans', 'Honey', 'Granola', 'Black Tea', 'Chocolate', 'Sea Salt'], from: 3, to: 35 },
  {
    category: 'Health',
    things: ['Yoga Mat', 'Massage Ball', 'Scale', 'Humidifier', 'Thermometer', 'Foam Roller', 'Lip Balm'],
    from: 4,
    to: 120,
  },
  {
    category: 'Kitchen',
    things: ['Frying Pan', 'Chef Knife', 'Kettle', 'Cutting Board', 'Mixing Bowl', 'Teapot', 'Grater'],
    from: 7,
    to: 160,
  },
  {
    category: 'Lighting',
    things: ['Desk Lamp', 'Floor Lamp', 'Pendant', 'Wall Light', 'Candle Holder', 'Night Light', 'Spotlight'],
    from: 12,
    to: 260,
  },
  {
    category: 'Music',
    things: ['Ukulele', 'Record Player', 'Tambourine', 'Music Stand', 'Harmonica', 'Metronome', 'Drum Pad'],
    from: 10,
    to: 340,
  },
  {
    category: 'Outdoors',
    things: ['Backpack', 'Tent', 'Sleeping Bag', 'Head Torch', 'Camping Stove', 'Water Bottle', 'Hammock'],
    from: 11,
    to: 420,
  },
  {
    category: 'Sports',
    things: ['Football', 'Tennis Racket', 'Jump Rope', 'Kettlebell', 'Bike Helmet', 'Swim Goggles', 'Bike Pump'],
    from: 6,
    to: 210,
  },
  {
    category: 'Toys',
    things: ['Puzzle', 'Wooden Train', 'Kite', 'Board Game', 'Plush Bear', 'Building Blocks', 'Marble Run'],
    from: 5,
    to: 90,
  },
];
