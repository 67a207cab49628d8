import assert from 'node:assert/strict';
import { SocketAddress } from 'node:net';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { canonicalAddress, isInner } from '../../../../ipc/runtime/guard/address.ts';

const canonical = (text: string): string => {
  const address = canonicalAddress(text);
  assert.ok(address !== null, text);
  return address;
};

describe('address', () => {
  it('has one spelling', () => {
    assert.equal(canonical('127.0.0.1'), '127.0.0.1');
    assert.equal(canonical('::ffff:127.0.0.1'), '127.0.0.1');
    assert.equal(canonical('::FFFF:7f00:1'), '127.0.0.1');
    assert.equal(canonical('0:0:0:0:0:ffff:7f00:0001'), '127.0.0.1');
    assert.equal(canonical('64:ff9b::10.0.0.1'), '10.0.0.1');
    assert.equal(canonical('::1'), '0:0:0:0:0:0:0:1');
    assert.equal(canonical('2001:DB8::'), '2001:db8:0:0:0:0:0:0');
    assert.equal(canonical('1::8'), '1:0:0:0:0:0:0:8');
    assert.equal(canonical('1:2:3:4:5:6:7::'), '1:2:3:4:5:6:7:0');
    assert.equal(canonical('fe80::1%eth0'), 'fe80:0:0:0:0:0:0:1');
  });

  it('is nothing that the system would read in another way', () => {
    for (const text of [
      '',
      '1',
      '127.1',
      '0177.0.0.1',
      '127.0.0.01',
      '0x7f.0.0.1',
      '256.0.0.1',
      '1.2.3.4.5',
      '1..2.3',
      '1.2.3.4%lo',
    ]) {
      assert.equal(canonicalAddress(text), null, text);
    }
    for (const text of [
      ':',
      ':::',
      '1:2',
      '1::2::3',
      '12345::',
      '::1.2.3',
      ':1::',
      '1:2:3:4:5:6:7:8:9',
      '::g',
      'example.com',
      '1:',
    ]) {
      assert.equal(canonicalAddress(text), null, text);
    }
  });

  it('agrees with the system on every address there is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const family = text.includes(':') ? 'ipv6' : 'ipv4';
        const parsed = new SocketAddress({ address: text, family }).address;
        assert.equal(canonical(parsed), canonical(text));
      }),
    );
  });

  it('knows the machine itself, its link, everybody at once, and the metadata services', () => {
    const inner = [
      '127.0.0.1',
      '127.9.9.9',
      '0.0.0.0',
      '169.254.169.254',
      '169.254.1.1',
      '::',
      '::1',
      '::ffff:0.0.0.0',
      '::ffff:169.254.169.254',
      '224.0.0.251',
      '239.1.2.3',
      '255.255.255.255',
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.192',
      'fd00:ec2::23',
      'fd20:ce::254',
      'ff02::fb',
    ];
    for (const text of [...inner, '::127.0.0.1', 'fe80::1', 'febf::1', 'fd00:ec2::254', '64:ff9b::7f00:1']) {
      assert.ok(isInner(canonical(text)), text);
    }
    for (const text of [
      '10.0.0.1',
      '223.255.255.254',
      'fd20:ce::253',
      '192.168.1.1',
      '8.8.8.8',
      '169.253.1.1',
      '2001:db8::1',
      'fec0::1',
      'fd00::1',
      '::ffff:8.8.8.8',
    ]) {
      assert.ok(!isInner(canonical(text)), text);
    }
  });
});
