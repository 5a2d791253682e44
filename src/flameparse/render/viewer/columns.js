// Bytes embedded in the page -> typed arrays. Nothing here makes an object per number.

/** Take the deflated base64 text out of an inert script element and inflate it; the element's text is freed. */
export async function embeddedBytes(id) {
  const element = document.getElementById(id);
  const packed = base64Bytes(element.textContent);
  element.remove();
  const inflated = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(inflated).arrayBuffer());
}

function base64Bytes(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Cut a byte array into consecutive views of the given sizes. */
export function cutColumns(bytes, sizes) {
  let at = 0;
  return sizes.map((size) => bytes.subarray(at, (at += size)));
}

/** Decode LEB128 numbers into `out`, the first at index `first`; exact up to 2^53. */
export function unpackNumbers(packed, out, first) {
  for (let at = 0, i = first; at < packed.length; i++) {
    let byte = packed[at++];
    let value = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = packed[at++];
      value += (byte & 127) * scale;
    }
    out[i] = value;
  }
  return out;
}

/** As `unpackNumbers`, exact for all 64 bits. */
export function unpackBigNumbers(packed, out, first) {
  for (let at = 0, i = first; at < packed.length; i++) {
    let value = 0n;
    for (let shift = 0n, more = true; more; shift += 7n) {
      const byte = packed[at++];
      value |= BigInt(byte & 127) << shift;
      more = byte > 127;
    }
    out[i] = value;
  }
  return out;
}
