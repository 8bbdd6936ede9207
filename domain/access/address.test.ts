import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countedAddress } from './address.js';

const group = fc.integer({ min: 0, max: 0xffff });
const byte = fc.integer({ min: 0, max: 255 });

describe('the address by which attempts are counted', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
    ['no:address', 'no:address'],
  ])('of %s is %s', (address, counted) => {
    expect(countedAddress(address)).toBe(counted);
  });

  it('is one for a whole /64, and another for another', () => {
    const four = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(four, four, four, four, (net, host, otherHost, otherNet) => {
        const write = (...groups: number[]): string => groups.map((each) => each.toString(16)).join(':');
        fc.pre(net.some((each) => each > 0) && net.join() !== otherNet.join());
        const counted = countedAddress(write(...net, ...host));
        expect(countedAddress(write(...net, ...otherHost).toUpperCase())).toBe(counted);
        expect(countedAddress(write(...otherNet, ...host))).not.toBe(counted);
      }),
    );
  });

  it('is that of IPv4 however it is written', () => {
    fc.assert(
      fc.property(byte, byte, byte, byte, (...bytes) => {
        expect(countedAddress(`::ffff:${bytes.join('.')}`)).toBe(bytes.join('.'));
      }),
    );
  });
});
