import { describe, expect, test } from 'vitest';
import { badgeSvg, toneOfUptime } from '#monitor/status-page/badge-svg.ts';
import { atomFeed } from '#monitor/status-page/feed.ts';
import type { PublicView } from '#monitor/status-page/public-view.ts';
import { voiceOf } from '#monitor/status-page/words.ts';

const nasty = '<script>alert("1")</script> & \u0007';

const widthOf = (badge: string): number => Number(/width="([\d.]+)"/.exec(badge)?.[1]);

describe('a badge', () => {
  test('says both words as text, to eyes and to those who have it read out', () => {
    const badge = badgeSvg(nasty, 'up', 'up');
    expect(badge).not.toContain('<script');
    expect(badge).toContain('aria-label="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; : up"');
    expect(badge).toMatch(/<text[^>]*>up<\/text>/);
  });

  test('is as wide as its words, and in the colour of the state', () => {
    expect(widthOf(badgeSvg('postgresql', 'down', 'down'))).toBeGreaterThan(widthOf(badgeSvg('db', 'down', 'down')));
    expect(badgeSvg('db', 'down', 'down')).toContain('fill="#c42b2b"');
  });

  test.each([
    [null, 'unknown'],
    [1, 'up'],
    [0.999, 'up'],
    [0.9989, 'degraded'],
    [0.98, 'down'],
  ] as const)('of %s uptime is %s', (share, tone) => {
    expect(toneOfUptime(share)).toBe(tone);
  });
});

describe('the feed', () => {
  const incident = { id: 'shop/1', kind: 'down', target: nasty, started_at: '2026-11-26T09:00:00.000Z' } as const;
  const over = { ...incident, id: 'shop-0', ended_at: '2026-11-26T10:00:00.000Z' };
  const note = { at: '2026-11-26T11:00:00.000Z', kind: 'post_mortem', text: nasty } as const;
  const view = {
    incidents: [
      { ...incident, ended_at: null, notes: [] },
      { ...over, notes: [note] },
    ],
  } as unknown as PublicView;

  test('has what Atom demands of a feed and of each entry, and escapes what is in it', () => {
    const feed = atomFeed(view, 'https://status.shop.example', voiceOf('es'));
    expect(feed).toMatch(/^<\?xml version="1.0" encoding="utf-8"\?>\n<feed xmlns="http:\/\/www.w3.org\/2005\/Atom" xml:lang="es">/);
    expect(feed).not.toContain('<script');
    expect(feed).not.toContain('\u0007');
    const [head = '', ...entries] = feed.split('<entry>');
    expect(head).toContain('<updated>2026-11-26T11:00:00.000Z</updated>');
    for (const part of [head, ...entries]) for (const name of ['id', 'title', 'updated']) expect(part.split(`<${name}>`)).toHaveLength(2);
    expect(entries[0]).toContain('<id>https://status.shop.example/incidents/shop%2F1</id>');
    expect(entries[0]).toContain('<updated>2026-11-26T09:00:00.000Z</updated>');
    expect(entries[1]).toContain('Terminó.');
  });

  test('without an incident, or without its record, is a feed all the same', () => {
    for (const incidents of [[], null]) {
      expect(atomFeed({ incidents } as unknown as PublicView, 'http://x', voiceOf('en'))).toContain(
        '<updated>1970-01-01T00:00:00.000Z</updated>',
      );
    }
  });
});
