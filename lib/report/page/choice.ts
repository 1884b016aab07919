/** What the reader has chosen, and who draws it. */

export class Choice<T> {
  #value: T;
  readonly #listeners: ((value: T) => void)[] = [];

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  /** Tells everybody, also when it is chosen again: whoever asks for something twice wants to see it. */
  set(value: T): void {
    this.#value = value;
    for (const listener of this.#listeners) listener(value);
  }

  onChange(listener: (value: T) => void): void {
    this.#listeners.push(listener);
  }
}
