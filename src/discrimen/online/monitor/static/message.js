// A view as the server packs it: zlib over a length, JSON, and arrays that the JSON lists.

const KINDS = { u8: Uint8Array, f4: Float32Array };

export async function unpackView(content) {
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const length = new DataView(bytes).getUint32(0, true);
  const view = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  let at = 4 + length;
  const arrays = {};
  for (const each of view.arrays) {
    const n = each.shape.reduce((product, size) => product * size, 1);
    const Kind = KINDS[each.type];
    arrays[each.name] = { shape: each.shape, values: new Kind(bytes, at, n) };
    at += Math.ceil((n * Kind.BYTES_PER_ELEMENT) / 4) * 4;
  }
  return { ...view, arrays };
}
