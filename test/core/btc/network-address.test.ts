import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/core/base/bytes.ts'
import {
  canonicalHost,
  hostOfBytes,
  isLoopback,
  isRoutable,
  networkGroup,
} from '../../../src/core/btc/network-address.ts'

describe('a host', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::ffff:102:304', '1.2.3.4'],
    ['2600::1', '2600:0:0:0:0:0:0:1'],
    ['2600:0000:0000:0000:0000:0000:0000:0001', '2600:0:0:0:0:0:0:1'],
    ['2600:AB::', '2600:ab:0:0:0:0:0:0'],
    ['Seed.Example', 'seed.example'],
    // Not addresses: left as names.
    ['1.2.3', '1.2.3'],
    ['1.2.3.256', '1.2.3.256'],
    ['01.2.3.4', '01.2.3.4'],
    ['1::2::3', '1::2::3'],
    ['1:2:3:4:5:6:7', '1:2:3:4:5:6:7'],
    ['1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8:9'],
    ['1:2:3:4:5:6:7::8', '1:2:3:4:5:6:7::8'],
    ['12345::', '12345::'],
    ['::g', '::g'],
  ])('%s has one text', (text, canonical) => {
    expect(canonicalHost(text)).toBe(canonical)
  })

  it.each([
    ['01020304', '1.2.3.4'],
    ['00000000000000000000ffff01020304', '1.2.3.4'],
    ['26000000000000000000000000000001', '2600:0:0:0:0:0:0:1'],
    ['0102', undefined],
    ['', undefined],
  ])('of bytes %s is %s', (hex, host) => {
    expect(hostOfBytes(fromHex(hex))).toBe(host)
  })

  it.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['localhost', true],
    ['128.0.0.1', false],
    ['::2', false],
    ['localhost.example', false],
  ])('%s: loopback is %s', (host, is) => {
    expect(isLoopback(host)).toBe(is)
  })

  it.each([
    ['1.2.3.4', true],
    ['223.255.255.255', true],
    ['2600::1', true],
    ['2002:102:304::', true],
    ...[
      '0.1.2.3',
      '10.1.2.3',
      '100.64.0.1',
      '127.0.0.1',
      '169.254.1.1',
      '172.31.255.255',
      '192.168.1.1',
      '192.0.2.1',
      '198.19.0.1',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '255.255.255.255',
      '::1',
      '::ffff:10.0.0.1',
      'fe80::1',
      'fc00::1',
      '2001:db8::1',
      'ff02::1',
      'seed.example',
    ].map((host): [string, boolean] => [host, false]),
    ['172.32.0.1', true],
    ['100.128.0.1', true],
  ])('%s: on the internet is %s', (host, is) => {
    expect(isRoutable(host)).toBe(is)
  })

  it.each([
    ['1.2.3.4', '1.2'],
    ['::ffff:1.2.9.9', '1.2'],
    ['2002:102:304::1', '1.2'],
    ['2600:1:2::3', '26000001'],
    ['2600:1:ffff::', '26000001'],
    ['127.0.0.9', 'loopback'],
    ['Seed.Example', 'seed.example'],
  ])('%s lies in the group %s', (host, group) => {
    expect(networkGroup(host)).toBe(group)
  })
})
