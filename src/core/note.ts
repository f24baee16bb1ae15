/** Answers the object that it is given, so that the class below adds its field to that one. */
// oxlint-disable-next-line no-extraneous-class -- the class below needs a class to extend
class Given {
  constructor(object: object) {
    return object
  }
}

/**
 * Room on an object for one thing that goes with it and that nobody else can see, also where the object is frozen afterwards. A WeakMap
 * does the same, and costs the garbage collector two microseconds for every object that is new.
 */
export class Note extends Given {
  #note: unknown

  /** What was last written; `undefined` where nothing was, or where there is no room. */
  static read(object: object): unknown {
    return #note in object ? object.#note : undefined
  }

  /** Does nothing where there is no room. */
  static write(object: object, note: unknown): void {
    if (#note in object) object.#note = note
  }

  /** Makes room on an object that has none. */
  static addTo(object: object): void {
    void new Note(object)
  }
}
