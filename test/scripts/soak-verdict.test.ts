import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitLine, judgeSoak, type Sample } from '../../scripts/soak-verdict.ts';

const CALM = { deaths: 0, neighbourEnds: 0 };

/** One sample every ten seconds, one at rest every three minutes. */
function soak(minutes: number, at: (minute: number, n: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: minutes * 6 }, (_, n) => {
    const usual = { residentMb: 300, threads: 30, descriptors: 60, residual: 0, neighbourP99Ms: 2, neighbourGapMs: 20 };
    return { minutes: n / 6, isResting: isResting(n), ...usual, ...at(n / 6, n) };
  });
}

const isResting = (n: number): boolean => n % 18 === 17;
/** Ten plugins that leak and are cut: memory goes up and down by a lot, but for the moments when all of them are gone. */
const sawtooth = (n: number): number => 300 + ((n * 37) % 100) * (isResting(n) ? 0.1 : 3);

describe('soak verdict', () => {
  it('lays the line that the points were made of', () => {
    const { slopePerHour, noise } = fitLine([0, 1, 2, 3].map((minute) => [minute, 5 + 2 * minute]));
    assert.ok(Math.abs(slopePerHour - 120) < 1e-9 && noise < 1e-9);
  });

  it('passes a host whose memory goes up and down without growing', () => {
    const { isPassed, lines } = judgeSoak(
      soak(30, (_minute, n) => ({ residentMb: sawtooth(n) })),
      CALM,
    );
    assert.ok(isPassed, lines.join('\n'));
  });

  it('fails a host that grows by 5 MB a minute below the noise of its plugins', () => {
    const { isPassed, lines } = judgeSoak(
      soak(30, (minute, n) => ({ residentMb: sawtooth(n) + 5 * minute })),
      CALM,
    );
    assert.equal(isPassed, false, lines.join('\n'));
  });

  it('does not pass what nobody has seen at rest', () => {
    const { isPassed, lines } = judgeSoak(
      soak(30, () => ({ isResting: false })),
      CALM,
    );
    assert.equal(isPassed, false, lines.join('\n'));
  });

  it('fails a host that keeps a thread or a descriptor of each plugin it ended', () => {
    assert.equal(
      judgeSoak(
        soak(30, (minute) => ({ threads: 30 + minute })),
        CALM,
      ).isPassed,
      false,
    );
    assert.equal(
      judgeSoak(
        soak(30, (minute) => ({ descriptors: 60 + minute * 2 })),
        CALM,
      ).isPassed,
      false,
    );
  });

  it('does not count what grows while the host warms up', () => {
    const warming = soak(30, (minute) => ({ residentMb: Math.min(300, 100 + minute * 40) }));
    assert.ok(judgeSoak(warming, CALM).isPassed);
  });

  it('fails when an event was unaccounted for, the host died, or the neighbour suffered', () => {
    assert.equal(
      judgeSoak(
        soak(10, (_minute, n) => ({ residual: n === 7 ? 1 : 0 })),
        CALM,
      ).isPassed,
      false,
    );
    assert.equal(
      judgeSoak(
        soak(10, () => ({})),
        { deaths: 1, neighbourEnds: 0 },
      ).isPassed,
      false,
    );
    assert.equal(
      judgeSoak(
        soak(10, () => ({})),
        { deaths: 0, neighbourEnds: 1 },
      ).isPassed,
      false,
    );
    assert.equal(
      judgeSoak(
        soak(10, (_minute, n) => ({ neighbourGapMs: n === 3 ? 9_000 : 5 })),
        CALM,
      ).isPassed,
      false,
    );
  });
});
