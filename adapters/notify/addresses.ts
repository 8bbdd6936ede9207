// Which addresses a person's webhook may reach: none of this machine or of the networks around it, unless the
// configuration allows it. Used by post.ts, at the very resolution that the connection uses.
import { lookup as resolve } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { KeelError } from '../../ports/errors.js';

const v4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Besides the private ones, those that hold an IPv4 address in them. */
const v6: readonly [string, number][] = [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

/** A list of each family: Node takes an IPv4 address for its IPv6 form, which is among the blocked ones. */
function blocked(family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [address, bits] of family === 'ipv4' ? v4 : v6) list.addSubnet(address, bits, family);
  return list;
}

/** True for an address that anybody on the internet may ask. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 0) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  return !blocked(family).check(address, family);
}

const refused = (host: string): KeelError =>
  new KeelError(
    'NOTIFY_ADDRESS',
    `${host} is an address of this machine or of a private network, which a message may not be sent to. ` +
      'Give a public address, or set KEEL_NOTIFIER_PRIVATE_ADDRESSES=allowed.',
    { facts: { host } },
  );

/** @throws KeelError NOTIFY_ADDRESS for a host that is written as a private address or as this machine: it is never looked up. */
export function refusePrivateLiteral(hostname: string): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  const own = /^(.+\.)?localhost\.?$/i.test(host);
  if (own || (isIP(host) !== 0 && !isPublicAddress(host))) throw refused(host);
}

/** The connection goes to the address that was checked; a name with one private address is refused whole. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }).then(
    (found) => {
      const [first] = found;
      if (first === undefined || found.some(({ address }) => !isPublicAddress(address))) {
        callback(refused(hostname), []);
      } else if (options.all === true) callback(null, found);
      else callback(null, first.address, first.family);
    },
    (error: unknown) => {
      callback(error instanceof Error ? error : new Error('no address'), []);
    },
  );
};
