// Reads the Arrow IPC streams that `wire.py` writes: int32, bool and text columns, uncompressed, as arrays.
// Null is null. Anything else in a stream is an error, never a wrong value.

const INT = 2, UTF8 = 5, BOOL = 6, LARGE_UTF8 = 20;
const SCHEMA = 1, RECORD_BATCH = 3;
const CONTINUES = -1;

/** A table of a FlatBuffer: where its fields lie, by their number. */
class Table {
  constructor(view, at) {
    this.view = view;
    this.at = at;
    this.fields = at - view.getInt32(at, true);
  }

  place(number) {
    const slot = 4 + 2 * number;
    const offset = slot < this.view.getUint16(this.fields, true) ? this.view.getUint16(this.fields + slot, true) : 0;
    return offset ? this.at + offset : 0;
  }

  byte(number) {
    const place = this.place(number);
    return place ? this.view.getUint8(place) : 0;
  }

  int(number) {
    const place = this.place(number);
    return place ? this.view.getInt32(place, true) : 0;
  }

  long(number) {
    const place = this.place(number);
    return place ? Number(this.view.getBigInt64(place, true)) : 0;
  }

  table(number) {
    const place = this.place(number);
    return place ? new Table(this.view, place + this.view.getUint32(place, true)) : null;
  }

  text(number) {
    const place = this.place(number);
    if (!place) return "";
    const at = place + this.view.getUint32(place, true);
    return decode(this.view, at + 4, this.view.getUint32(at, true));
  }

  /** Where the items of a vector begin, and how many there are. */
  vector(number) {
    const place = this.place(number);
    if (!place) return [0, 0];
    const at = place + this.view.getUint32(place, true);
    return [at + 4, this.view.getUint32(at, true)];
  }
}

const decoder = new TextDecoder();

function decode(view, at, length) {
  return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
}

/** The columns of a stream by name. */
export function readStream(view) {
  let at = 0, fields = [];
  const columns = new Map();
  while (at + 8 <= view.byteLength) {
    if (view.getInt32(at, true) !== CONTINUES) throw new Error("not an Arrow stream");
    const size = view.getInt32(at + 4, true);
    if (size === 0) break;
    const message = new Table(view, at + 8 + view.getUint32(at + 8, true));
    const body = at + 8 + size;
    if (message.byte(1) === SCHEMA) {
      fields = fieldsOf(message.table(2));
      for (const field of fields) columns.set(field.name, []);
    } else if (message.byte(1) === RECORD_BATCH) {
      readBatch(view, message.table(2), body, fields, columns);
    }
    at = body + message.long(3);
  }
  return columns;
}

function fieldsOf(schema) {
  const [first, count] = schema.vector(1);
  return Array.from({ length: count }, (_, i) => {
    const place = first + 4 * i;
    const field = new Table(schema.view, place + schema.view.getUint32(place, true));
    const type = field.byte(2);
    if (type === INT && field.table(3).int(0) !== 32) throw new Error(`no 32-bit column: ${field.text(0)}`);
    if (![INT, UTF8, BOOL, LARGE_UTF8].includes(type)) throw new Error(`no type for column ${field.text(0)}`);
    return { name: field.text(0), type };
  });
}

function readBatch(view, batch, body, fields, columns) {
  const length = batch.long(0);
  const [first] = batch.vector(2);
  let next = 0;
  const buffer = () => {
    const place = first + 16 * next++;
    return [body + Number(view.getBigInt64(place, true)), Number(view.getBigInt64(place + 8, true))];
  };
  const bit = (at, i) => (view.getUint8(at + (i >> 3)) >> (i & 7)) & 1;
  for (const { name, type } of fields) {
    const [valid, validLength] = buffer();
    const isNull = (i) => validLength > 0 && !bit(valid, i);
    const values = columns.get(name);
    if (type === INT || type === BOOL) {
      const [data] = buffer();
      for (let i = 0; i < length; i++) {
        values.push(isNull(i) ? null : type === INT ? view.getInt32(data + 4 * i, true) : bit(data, i) === 1);
      }
      continue;
    }
    const [offsets] = buffer();
    const [data] = buffer();
    const offset = type === UTF8
      ? (i) => view.getInt32(offsets + 4 * i, true)
      : (i) => Number(view.getBigInt64(offsets + 8 * i, true));
    for (let i = 0; i < length; i++) {
      values.push(isNull(i) ? null : decode(view, data + offset(i), offset(i + 1) - offset(i)));
    }
  }
}
