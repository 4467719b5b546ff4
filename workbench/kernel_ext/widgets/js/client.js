// Questions to the kernel over the widget's channel, each with its answer.

const WAIT = 120_000;

export class Client {
  constructor(model) {
    this.model = model;
    this.next = 0;
    this.waiting = new Map();
    this.heard = (content, buffers) => {
      const waiting = this.waiting.get(content.ref);
      if (!waiting) return;
      this.waiting.delete(content.ref);
      clearTimeout(waiting.timer);
      if (content.error) waiting.reject(new Refused(content));
      else waiting.resolve({ ...content, bytes: buffers && buffers[0] });
    };
    model.on("msg:custom", this.heard);
  }

  ask(ask, more = {}) {
    const ref = `${this.next++}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(ref);
        reject(new Refused({ error: "the kernel does not answer" }));
      }, WAIT);
      this.waiting.set(ref, { resolve, reject, timer });
      this.model.send({ ref, ask, ...more });
    });
  }

  close() {
    this.model.off("msg:custom", this.heard);
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }
}

/** A mistake that the kernel tells of in a sentence. */
export class Refused extends Error {
  constructor({ error, hint = "", code = "" }) {
    super(code ? `${code}: ${error}` : error);
    this.hint = hint;
  }
}
