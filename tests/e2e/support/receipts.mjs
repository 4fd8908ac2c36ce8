// Receipts as somebody else verifies them: by docs/RECEIPTS.md alone, with node's own SHA-256 and Ed25519.
import { createHash, createPublicKey, verify } from 'node:crypto';

const hex = (text) => Buffer.from(text, 'hex');

export function sha256(...pieces) {
  const hash = createHash('sha256');
  pieces.forEach((piece) => hash.update(piece));
  return hash.digest();
}

function number(value, size) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes.subarray(8 - size);
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length, 1), bytes]);
}

function deviceBytes(device) {
  const { signed, file_sha256: file } = device;
  const differs = signed !== null && signed.delivered_sha256 !== device.delivered_sha256;
  const flags = (file !== null ? 1 : 0) + (signed !== null ? 2 : 0) + (differs ? 4 : 0);
  return Buffer.concat([text(device.device_id), hex(device.public_key), number(device.attempt, 4),
    number(device.completion_tokens, 4), number(flags, 1), file !== null ? hex(file) : Buffer.alloc(0),
    hex(device.delivered_sha256),
    ...(signed === null ? [] : [number(signed.prompt_tokens, 4), number(signed.completion_tokens, 4),
      differs ? hex(signed.delivered_sha256) : Buffer.alloc(0), hex(signed.signature)])]);
}

/** The bytes of what a receipt says. */
export function receiptBytes({ receipt }) {
  return Buffer.concat([Buffer.from('nataris receipt 1\n'), text(receipt.id), text(receipt.account_id),
    text(receipt.model), text(receipt.purpose), text(receipt.outcome), number(receipt.created_ms, 8),
    text(receipt.request_of), hex(receipt.request_sha256), hex(receipt.answer_sha256), number(receipt.answer_bytes, 8),
    number(receipt.prompt_tokens, 4), number(receipt.completion_tokens, 4), number(receipt.charge_nano_usd, 8),
    hex(receipt.name), number(receipt.devices.length, 1), ...receipt.devices.map(deviceBytes)]);
}

/** The hash of one more link. */
export function linkHash(previous, day, place, leaf) {
  return sha256('nataris receipt chain 1\n', previous, number(Date.parse(`${day}T00:00:00Z`) / 86_400_000, 8),
    number(place, 8), leaf);
}

export function receiptHash(file) {
  return linkHash(hex(file.chain.previous), file.chain.day, file.chain.place, sha256(receiptBytes(file)));
}

export function verifies(publicKey, message, signature) {
  const der = Buffer.concat([hex('302a300506032b6570032100'), hex(publicKey)]);
  return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), hex(signature));
}

export function gatewaySigned(file) {
  return verifies(file.gateway.public_key, Buffer.concat([Buffer.from('nataris receipt signed 1\n'), receiptHash(file)]),
    file.gateway.signature);
}

export function headSigned(file) {
  const days = Date.parse(`${file.day}T00:00:00Z`) / 86_400_000;
  return verifies(file.gateway.public_key, Buffer.concat([Buffer.from('nataris receipt head 1\n'), number(days, 8),
    number(file.count, 8), hex(file.head)]), file.gateway.signature);
}

export function deviceSigned({ receipt }, { attempt, public_key: key, signed }) {
  return verifies(key, Buffer.concat([Buffer.from('nataris delivery 1\n'), hex(receipt.name), number(attempt, 4),
    hex(signed.delivered_sha256), number(signed.prompt_tokens, 4), number(signed.completion_tokens, 4)]),
  signed.signature);
}

/** What a text's digest in this receipt must be. */
export function salted(file, content) {
  return sha256(hex(file.salt), content).toString('hex');
}
