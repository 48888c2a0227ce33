/**
 * Where a webhook may go. An address that a name resolves to is judged, never the name: whatever spelling somebody found
 * for 127.0.0.1, it is that address when it is to be connected to.
 *
 * 1. Public is what is known to be so: IPv6 outside 2000::/3 and an address that cannot be read are not.
 * 2. An IPv4 address inside an IPv6 one is judged as the IPv4 address.
 * 3. Some addresses are never right, not even for a host that the configuration allows: there the machine itself answers
 *    questions about its credentials.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const listOf = (ipv4: readonly string[], ipv6: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const [family, subnets] of [['ipv4', ipv4] as const, ['ipv6', ipv6] as const]) {
    for (const subnet of subnets) {
      const [network = '', prefix] = subnet.split('/');
      list.addSubnet(network, Number(prefix), family);
    }
  }
  return list;
};

/** Unspecified, link-local, multicast, broadcast; and where the clouds put their metadata outside of these. */
const never = listOf(
  [
    '0.0.0.0/8',
    '169.254.0.0/16',
    '224.0.0.0/4',
    '255.255.255.255/32',
    '168.63.129.16/32',
    '100.100.100.200/32',
    '192.0.0.192/32',
  ],
  ['::/128', 'fe80::/10', 'ff00::/8', 'fd00:ec2::254/128', 'fd20:ce::254/128'],
);

/** Loopback, private, carrier NAT, protocol assignments, documentation, 6to4 relays, benchmarks, reserved (RFC 6890). */
const notPublic = listOf(
  [
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '172.16.0.0/12',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '240.0.0.0/4',
  ],
  // Inside 2000::/3: protocol assignments with Teredo, benchmarks and ORCHID; documentation; 6to4.
  ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
);
const globalUnicast = listOf([], ['2000::/3']);
/** IPv4 in the last 32 bits: mapped, translated (NAT64), and compatible. */
const carriesIPv4 = listOf([], ['::ffff:0:0/96', '64:ff9b::/96', '::/96']);

export type Reach = 'public' | 'private' | 'never';

export const reachOf = (address: string): Reach => {
  if (isIPv4(address)) return never.check(address) ? 'never' : notPublic.check(address) ? 'private' : 'public';
  // A zone, as in fe80::1%eth0, names an interface of this machine.
  if (!isIPv6(address) || address.includes('%')) return 'never';
  if (never.check(address, 'ipv6')) return 'never';
  if (address !== '::1' && carriesIPv4.check(address, 'ipv6')) return reachOf(lastIPv4(address));
  return globalUnicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6') ? 'public' : 'private';
};

/** `URL` writes every spelling of an address in one way: in groups, the last two of which are the IPv4 address. */
const lastIPv4 = (address: string): string => {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':');
  const [high, low] = groups.slice(-2).map((group) => Number.parseInt(group || '0', 16));
  return [(high ?? 0) >> 8, (high ?? 0) & 255, (low ?? 0) >> 8, (low ?? 0) & 255].join('.');
};
