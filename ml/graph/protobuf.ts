/** Writes protobuf messages, as far as an ONNX file needs them. A field with the default value is written like any other. */
export class Message {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  int(field: number, value: number | bigint): this {
    return this.#key(field, 0).#varint(value);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#key(field, 5).#raw(bytes);
  }

  bytes(field: number, bytes: Uint8Array): this {
    return this.#key(field, 2).#varint(bytes.length).#raw(bytes);
  }

  text(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: Message): this {
    this.#key(field, 2).#varint(message.#length);
    for (const part of message.#parts) this.#raw(part);
    return this;
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #key(field: number, wireType: 0 | 2 | 5): this {
    return this.#varint((field << 3) | wireType);
  }

  /** Seven bits a byte, the lowest first; negative numbers as 64-bit two's complement. */
  #varint(value: number | bigint): this {
    let left = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(left & 0x7fn);
      left >>= 7n;
      bytes.push(left === 0n ? low : low | 0x80);
    } while (left !== 0n);
    return this.#raw(Uint8Array.from(bytes));
  }

  #raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }
}
