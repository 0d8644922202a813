/**
 * The client half in a browser, a worker or Node: secret keys, cloud keys, encryption and decryption. It wraps the WebAssembly module
 * that the crate beside it is compiled to, and needs nothing else.
 *
 *     import { load } from "./client.js";
 *     const module = await load(fetch(new URL("client.wasm", import.meta.url)));
 *     const specification = module.readSpecification(bytes); // from the server
 *     const key = module.drawSecretKey(specification.parameterSets[0]);
 *     for (const piece of key.cloudKey().pieces()) send(piece); // once
 *     const client = specification.client(key);
 *     send(client.encrypt(28, 28, pixels));
 *     const { name } = client.decrypt(await receive());
 *
 * A cloud key takes seconds, during which nothing else runs on the thread: use a worker where there is a page.
 *
 * Secrets stay in the module's memory, and are overwritten there when their `release()` is called. What `SecretKey.toBytes()` and
 * the functions that decrypt return is the caller's to overwrite.
 *
 * @module
 */

/**
 * Whose fault an error is: that of the code that calls, of whoever made the bytes that were read, or of this machine.
 *
 * @typedef {"caller" | "peer" | "machine"} Blame
 */

/** @type {readonly Blame[]} In the order of the module's numbers, from 1 on. */
const BLAMES = ["caller", "peer", "machine"];

/** For {@link Specification} alone. */
const CLIENT = Symbol("client");

/** What a function of this file throws when the module refuses. */
export class ClientError extends Error {
  /**
   * @param {string} message One line: what was found, and what was expected.
   * @param {Blame} blame
   */
  constructor(message, blame) {
    super(message);
    this.name = "ClientError";
    /** @type {Blame} */
    this.blame = blame;
  }
}

/**
 * Loads the module. Each call makes a module with a memory of its own.
 *
 * @param {Response | PromiseLike<Response> | BufferSource | WebAssembly.Module} source The answer to a request for `client.wasm`,
 *     its bytes, or the module as it was compiled elsewhere.
 * @returns {Promise<Module>}
 */
export async function load(source) {
  const host = new Host();
  const imports = { host: { random: host.random, panicked: host.panicked } };
  const given = await source;
  let instance;
  if (given instanceof WebAssembly.Module) {
    instance = await WebAssembly.instantiate(given, imports);
  } else if (typeof Response !== "undefined" && given instanceof Response) {
    ({ instance } = await WebAssembly.instantiateStreaming(given, imports));
  } else {
    ({ instance } = await WebAssembly.instantiate(/** @type {BufferSource} */ (given), imports));
  }
  return new Module(new Border(host, instance));
}

/** What the module calls. */
class Host {
  /** @type {WebAssembly.Memory | undefined} */
  memory;
  /** The message of the panic that stopped the module. */
  panic = "";

  /** Fills memory with random bytes; anything but 0 says that there are none. */
  random = (/** @type {number} */ address, /** @type {number} */ length) => {
    try {
      crypto.getRandomValues(this.#bytes(address, length));
      return 0;
    } catch {
      return 1;
    }
  };

  panicked = (/** @type {number} */ address, /** @type {number} */ length) => {
    this.panic = new TextDecoder().decode(this.#bytes(address, length));
  };

  #bytes(/** @type {number} */ address, /** @type {number} */ length) {
    if (!this.memory) throw new Error("the module runs before it is loaded");
    return new Uint8Array(this.memory.buffer, address >>> 0, length >>> 0);
  }
}

/** The functions of the module, with values in place of handles. */
class Border {
  #host;
  /** @type {Record<string, (...values: number[]) => number>} */
  #exports;
  /** @type {WebAssembly.Memory} */
  #memory;
  /** Why the module runs no more. */
  #stopped = "";

  /**
   * @param {Host} host
   * @param {WebAssembly.Instance} instance
   */
  constructor(host, instance) {
    const { memory, ...functions } = instance.exports;
    this.#host = host;
    this.#memory = host.memory = /** @type {WebAssembly.Memory} */ (memory);
    this.#exports = /** @type {Record<string, (...values: number[]) => number>} */ (functions);
    this.#run("initialise");
  }

  /** Bytes of the module's memory. */
  get memoryBytes() {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Calls a function that returns a handle.
   *
   * @param {string} name
   * @param {...number} values
   * @returns {number}
   */
  handle(name, ...values) {
    const handle = this.#run(name, ...values);
    if (handle === 0) throw this.#error();
    return handle;
  }

  /**
   * Calls a function that returns a number.
   *
   * @param {string} name
   * @param {...number} values
   * @returns {number}
   */
  number(name, ...values) {
    return this.#run(name, ...values);
  }

  /**
   * Calls a function that returns a buffer, and copies what is in it.
   *
   * @param {string} name
   * @param {...number} values
   * @returns {Uint8Array<ArrayBuffer>}
   */
  bytes(name, ...values) {
    return this.#take(this.handle(name, ...values));
  }

  /**
   * Copies bytes to a new buffer, for a function that takes one.
   *
   * @param {Uint8Array} bytes
   * @returns {number}
   */
  buffer(bytes) {
    const buffer = this.handle("buffer_new", bytes.length);
    this.#view(buffer).set(bytes);
    return buffer;
  }

  /** @param {string} text */
  text(text) {
    return this.buffer(new TextEncoder().encode(text));
  }

  /** @param {number} handle */
  release(handle) {
    // A module that has stopped has no secrets left.
    if (!this.#stopped) this.#run("release", handle);
  }

  /** Overwrites all of the module's memory, after which it runs no more. */
  close() {
    this.#stop("the module was closed");
  }

  /** @param {number} buffer */
  #take(buffer) {
    const bytes = this.#view(buffer).slice();
    this.#run("release", buffer);
    return bytes;
  }

  /** @param {number} buffer */
  #view(buffer) {
    const [address, length] = [this.#run("buffer_address", buffer), this.#run("buffer_length", buffer)];
    return new Uint8Array(this.#memory.buffer, address, length);
  }

  #error() {
    const message = new TextDecoder().decode(this.#take(this.#run("error_message")));
    return new ClientError(message, BLAMES[this.#run("error_blame") - 1]);
  }

  /**
   * @param {string} name
   * @param {...number} values
   */
  #run(name, ...values) {
    if (this.#stopped) throw new ClientError(this.#stopped, "caller");
    try {
      return this.#exports[name](...values) >>> 0;
    } catch (cause) {
      const reason = this.#host.panic || String(cause);
      this.#stop(`the module has stopped: ${reason}`);
      throw Object.assign(new ClientError(this.#stopped, "machine"), { cause });
    }
  }

  /** @param {string} reason */
  #stop(reason) {
    this.#stopped = reason;
    new Uint8Array(this.#memory.buffer).fill(0);
  }
}

/** The module, from which everything starts. */
export class Module {
  #border;

  /**
   * For {@link load} alone.
   *
   * @param {Border} border
   */
  constructor(border) {
    this.#border = border;
  }

  /** Bytes of the module's memory, which grows with need and never shrinks. */
  get memoryBytes() {
    return this.#border.memoryBytes;
  }

  /**
   * Draws a secret key, from the randomness of `crypto.getRandomValues`.
   *
   * @param {string} parameters The name of the parameter set, such as `FUNCTIONAL_1024`.
   * @returns {SecretKey}
   */
  drawSecretKey(parameters) {
    return new SecretKey(this.#border, this.#border.handle("secret_key_draw", this.#border.text(parameters)));
  }

  /**
   * Reads a secret key from its file.
   *
   * @param {Uint8Array} file
   * @returns {SecretKey}
   */
  readSecretKey(file) {
    return new SecretKey(this.#border, this.#border.handle("secret_key_from_bytes", this.#border.buffer(file)));
  }

  /**
   * Reads a client specification: what the client must know of a model.
   *
   * @param {Uint8Array} document
   * @returns {Specification}
   */
  readSpecification(document) {
    const handle = this.#border.handle("specification_read", this.#border.buffer(document));
    return new Specification(this.#border, handle, JSON.parse(new TextDecoder().decode(document)));
  }

  /** Overwrites everything that the module has in memory. Nothing that came of it can be used any more. */
  close() {
    this.#border.close();
  }
}

/** What only the client has. It never leaves the module's memory but by `toBytes`. */
export class SecretKey {
  #border;
  #handle;

  /**
   * For {@link Module} alone.
   *
   * @param {Border} border
   * @param {number} handle
   */
  constructor(border, handle) {
    this.#border = border;
    this.#handle = handle;
  }

  /** The key's public identity, which its cloud key and ciphertexts bear: 32 hexadecimal digits. */
  get id() {
    const bytes = this.#border.bytes("secret_key_id", this.#handle);
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** The name of the parameter set. */
  get parameters() {
    return new TextDecoder().decode(this.#border.bytes("secret_key_parameters", this.#handle));
  }

  /** The key's file, to be kept where nobody else reads it. */
  toBytes() {
    return this.#border.bytes("secret_key_to_bytes", this.#handle);
  }

  /** Begins to make a cloud key, which a server needs to compute. */
  cloudKey() {
    return new CloudKey(this.#border, this.#border.handle("cloud_key_new", this.#handle));
  }

  /**
   * Encrypts bits: a file of seeded ciphertexts.
   *
   * @param {Uint8Array} bits Each 0 or 1.
   */
  encryptBits(bits) {
    return this.#border.bytes("encrypt_bits", this.#handle, this.#border.buffer(bits));
  }

  /**
   * Decrypts the bits of a file with a list of ciphertexts. They are not to be published (docs/security.md).
   *
   * @param {Uint8Array} file
   * @returns {Uint8Array<ArrayBuffer>} Each 0 or 1.
   */
  decryptBits(file) {
    return this.#border.bytes("decrypt_bits", this.#handle, this.#border.buffer(file));
  }

  /**
   * Encrypts torus elements: a file of a packed ciphertext.
   *
   * @param {Uint32Array} messages In units of 2^-32.
   * @param {number} rowLength How many are packed in a TLWE sample: from 1 to N.
   */
  encryptPacked(messages, rowLength) {
    const words = new DataView(new ArrayBuffer(messages.byteLength));
    messages.forEach((message, index) => words.setUint32(4 * index, message, true));
    const bytes = new Uint8Array(words.buffer);
    const buffer = this.#border.buffer(bytes);
    bytes.fill(0);
    return this.#border.bytes("encrypt_packed", this.#handle, buffer, rowLength);
  }

  /**
   * The client of a specification's model with this key.
   *
   * @param {number} specification The specification's handle.
   */
  [CLIENT](specification) {
    return this.#border.handle("client_new", specification, this.#handle);
  }

  /** Overwrites the key in the module's memory, when the clients that have it are released too. */
  release() {
    this.#border.release(this.#handle);
  }
}

/** A cloud key that is being made, in pieces of its file. */
export class CloudKey {
  #border;
  #handle;

  /**
   * For {@link SecretKey} alone.
   *
   * @param {Border} border
   * @param {number} handle
   */
  constructor(border, handle) {
    this.#border = border;
    this.#handle = handle;
    /** Bytes of the whole file. */
    this.length = border.number("cloud_key_length", handle);
  }

  /**
   * The pieces of the file, in their order; each is made when it is asked for. When the last one was taken, or the loop is left,
   * the key is released.
   *
   * @returns {Generator<Uint8Array<ArrayBuffer>, void, void>}
   */
  *pieces() {
    try {
      for (;;) {
        const piece = this.#border.bytes("cloud_key_next", this.#handle);
        if (piece.length === 0) return;
        yield piece;
      }
    } finally {
      this.#border.release(this.#handle);
    }
  }
}

/**
 * What a document of a client specification has (docs/formats.md), as far as it is shown here.
 *
 * @typedef {object} SpecificationDocument
 * @property {{ name: string }} model
 * @property {{ width: number, height: number, channels?: number }} input
 * @property {string[]} labels
 * @property {number} fraction_bits
 * @property {{ parameters: string }[]} engines
 */

/** What a client must know of a model; none of its weights. */
export class Specification {
  #border;
  #handle;
  #fractionBits;

  /**
   * For {@link Module} alone.
   *
   * @param {Border} border
   * @param {number} handle
   * @param {SpecificationDocument} document
   */
  constructor(border, handle, document) {
    this.#border = border;
    this.#handle = handle;
    this.#fractionBits = document.fraction_bits;
    /** The model's name. */
    this.model = document.model.name;
    /** @type {readonly string[]} The names of the classes. */
    this.labels = document.labels;
    /** Width of a picture, in pixels. */
    this.width = document.input.width;
    /** Height of a picture, in pixels. */
    this.height = document.input.height;
    /** Channels of a picture: 1 is grey; 3 are red, green and blue. */
    this.channels = document.input.channels ?? 1;
    /** @type {readonly [string, ...string[]]} The names of the parameter sets that a key may have. */
    this.parameterSets = /** @type {any} */ (document.engines.map((engine) => engine.parameters));
  }

  /**
   * A client of the model.
   *
   * @param {SecretKey} key Of one of the {@link parameterSets}.
   * @returns {Client}
   */
  client(key) {
    return new Client(this.#border, key[CLIENT](this.#handle), this.labels, this.#fractionBits);
  }

  /** Forgets the specification. */
  release() {
    this.#border.release(this.#handle);
  }
}

/**
 * What the network says of a picture.
 *
 * @typedef {object} Decision
 * @property {number} label The class with the highest score.
 * @property {string} name Its name.
 * @property {number[]} scores The score of each class.
 * @property {bigint[]} integers The same, as the integers that they are multiples of.
 */

/** A client of one model: it encrypts pictures, and decrypts scores. */
export class Client {
  #border;
  #handle;
  #labels;
  #fractionBits;

  /**
   * For {@link Specification} alone.
   *
   * @param {Border} border
   * @param {number} handle
   * @param {readonly string[]} labels
   * @param {number} fractionBits
   */
  constructor(border, handle, labels, fractionBits) {
    this.#border = border;
    this.#handle = handle;
    this.#labels = labels;
    this.#fractionBits = fractionBits;
  }

  /**
   * Encrypts a picture: the file of an encrypted image.
   *
   * @param {number} width In pixels.
   * @param {number} height In pixels.
   * @param {Uint8Array} pixels Grey values row by row, from 0, which is black; digits are white on black. For a model of several
   *   channels, so many values of each channel, one channel after the other.
   * @throws {ClientError} Also for a grey picture that looks blank, inverted or dim: a model would give it a label all the same.
   */
  encrypt(width, height, pixels) {
    return this.#border.bytes("client_encrypt", this.#handle, width, height, this.#border.buffer(pixels));
  }

  /**
   * The same for a picture that is meant as it is, whatever it looks like.
   *
   * @param {number} width
   * @param {number} height
   * @param {Uint8Array} pixels
   */
  encryptAsIs(width, height, pixels) {
    return this.#border.bytes("client_encrypt_as_is", this.#handle, width, height, this.#border.buffer(pixels));
  }

  /**
   * Decrypts a file of encrypted scores. They are not to be published (docs/security.md).
   *
   * @param {Uint8Array} file
   * @returns {Decision}
   */
  decrypt(file) {
    const bytes = this.#border.bytes("client_decrypt", this.#handle, this.#border.buffer(file));
    const view = new DataView(bytes.buffer);
    const words = Array.from({ length: bytes.length / 8 }, (_, index) => view.getBigInt64(8 * index, true));
    const [label, ...integers] = words;
    // Exact: the integers are below 2^53, and the unit is a power of two.
    const scores = integers.map((score) => Number(score) / 2 ** this.#fractionBits);
    return { label: Number(label), name: this.#labels[Number(label)], scores, integers };
  }

  /** Forgets the client, and overwrites its key, when that is released too. */
  release() {
    this.#border.release(this.#handle);
  }
}
