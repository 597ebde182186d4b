import { startDelayingProxy } from './delaying-proxy.ts';

// What the null server tells whoever forked it is where the way to it begins: as far off for the client as the shop.
const send = process.send?.bind(process);
process.send = ({ origin }: { origin: string }): boolean => {
  void startDelayingProxy(origin).then((proxy) => send?.({ origin: proxy.origin }));
  return true;
};
process.on('disconnect', () => process.exit());
await import('#loadtest/scenarios/shop/null-shop.ts');
