/**
 * Loads the module. Each call makes a module with a memory of its own.
 *
 * @param {Response | PromiseLike<Response> | BufferSource | WebAssembly.Module} source The answer to a request for `client.wasm`,
 *     its bytes, or the module as it was compiled elsewhere.
 * @returns {Promise<Module>}
 */
export function load(source: Response | PromiseLike<Response> | BufferSource | WebAssembly.Module): Promise<Module>;
/** What a function of this file throws when the module refuses. */
export class ClientError extends Error {
    /**
     * @param {string} message One line: what was found, and what was expected.
     * @param {Blame} blame
     */
    constructor(message: string, blame: Blame);
    /** @type {Blame} */
    blame: Blame;
}
/** The module, from which everything starts. */
export class Module {
    /**
     * For {@link load} alone.
     *
     * @param {Border} border
     */
    constructor(border: Border);
    /** Bytes of the module's memory, which grows with need and never shrinks. */
    get memoryBytes(): number;
    /**
     * Draws a secret key, from the randomness of `crypto.getRandomValues`.
     *
     * @param {string} parameters The name of the parameter set, such as `FUNCTIONAL_1024`.
     * @returns {SecretKey}
     */
    drawSecretKey(parameters: string): SecretKey;
    /**
     * Reads a secret key from its file.
     *
     * @param {Uint8Array} file
     * @returns {SecretKey}
     */
    readSecretKey(file: Uint8Array): SecretKey;
    /**
     * Reads a client specification: what the client must know of a model.
     *
     * @param {Uint8Array} document
     * @returns {Specification}
     */
    readSpecification(document: Uint8Array): Specification;
    /** Overwrites everything that the module has in memory. Nothing that came of it can be used any more. */
    close(): void;
    #private;
}
/** What only the client has. It never leaves the module's memory but by `toBytes`. */
export class SecretKey {
    /**
     * For {@link Module} alone.
     *
     * @param {Border} border
     * @param {number} handle
     */
    constructor(border: Border, handle: number);
    /** The key's public identity, which its cloud key and ciphertexts bear: 32 hexadecimal digits. */
    get id(): string;
    /** The name of the parameter set. */
    get parameters(): string;
    /** The key's file, to be kept where nobody else reads it. */
    toBytes(): Uint8Array<ArrayBuffer>;
    /** Begins to make a cloud key, which a server needs to compute. */
    cloudKey(): CloudKey;
    /**
     * Encrypts bits: a file of seeded ciphertexts.
     *
     * @param {Uint8Array} bits Each 0 or 1.
     */
    encryptBits(bits: Uint8Array): Uint8Array<ArrayBuffer>;
    /**
     * Decrypts the bits of a file with a list of ciphertexts. They are not to be published (docs/security.md).
     *
     * @param {Uint8Array} file
     * @returns {Uint8Array<ArrayBuffer>} Each 0 or 1.
     */
    decryptBits(file: Uint8Array): Uint8Array<ArrayBuffer>;
    /**
     * Encrypts torus elements: a file of a packed ciphertext.
     *
     * @param {Uint32Array} messages In units of 2^-32.
     * @param {number} rowLength How many are packed in a TLWE sample: from 1 to N.
     */
    encryptPacked(messages: Uint32Array, rowLength: number): Uint8Array<ArrayBuffer>;
    /** Overwrites the key in the module's memory, when the clients that have it are released too. */
    release(): void;
    /**
     * The client of a specification's model with this key.
     *
     * @param {number} specification The specification's handle.
     */
    [CLIENT](specification: number): number;
    #private;
}
/** A cloud key that is being made, in pieces of its file. */
export class CloudKey {
    /**
     * For {@link SecretKey} alone.
     *
     * @param {Border} border
     * @param {number} handle
     */
    constructor(border: Border, handle: number);
    /** Bytes of the whole file. */
    length: number;
    /**
     * The pieces of the file, in their order; each is made when it is asked for. When the last one was taken, or the loop is left,
     * the key is released.
     *
     * @returns {Generator<Uint8Array<ArrayBuffer>, void, void>}
     */
    pieces(): Generator<Uint8Array<ArrayBuffer>, void, void>;
    #private;
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
    /**
     * For {@link Module} alone.
     *
     * @param {Border} border
     * @param {number} handle
     * @param {SpecificationDocument} document
     */
    constructor(border: Border, handle: number, document: SpecificationDocument);
    /** The model's name. */
    model: string;
    /** @type {readonly string[]} The names of the classes. */
    labels: readonly string[];
    /** Width of a picture, in pixels. */
    width: number;
    /** Height of a picture, in pixels. */
    height: number;
    /** Channels of a picture: 1 is grey; 3 are red, green and blue. */
    channels: number;
    /** @type {readonly [string, ...string[]]} The names of the parameter sets that a key may have. */
    parameterSets: readonly [string, ...string[]];
    /**
     * A client of the model.
     *
     * @param {SecretKey} key Of one of the {@link parameterSets}.
     * @returns {Client}
     */
    client(key: SecretKey): Client;
    /** Forgets the specification. */
    release(): void;
    #private;
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
    /**
     * For {@link Specification} alone.
     *
     * @param {Border} border
     * @param {number} handle
     * @param {readonly string[]} labels
     * @param {number} fractionBits
     */
    constructor(border: Border, handle: number, labels: readonly string[], fractionBits: number);
    /**
     * Encrypts a picture: the file of an encrypted image.
     *
     * @param {number} width In pixels.
     * @param {number} height In pixels.
     * @param {Uint8Array} pixels Grey values row by row, from 0, which is black; digits are white on black. For a model of several
     *   channels, so many values of each channel, one channel after the other.
     * @throws {ClientError} Also for a grey picture that looks blank, inverted or dim: a model would give it a label all the same.
     */
    encrypt(width: number, height: number, pixels: Uint8Array): Uint8Array<ArrayBuffer>;
    /**
     * The same for a picture that is meant as it is, whatever it looks like.
     *
     * @param {number} width
     * @param {number} height
     * @param {Uint8Array} pixels
     */
    encryptAsIs(width: number, height: number, pixels: Uint8Array): Uint8Array<ArrayBuffer>;
    /**
     * Decrypts a file of encrypted scores. They are not to be published (docs/security.md).
     *
     * @param {Uint8Array} file
     * @returns {Decision}
     */
    decrypt(file: Uint8Array): Decision;
    /** Forgets the client, and overwrites its key, when that is released too. */
    release(): void;
    #private;
}
/**
 * Whose fault an error is: that of the code that calls, of whoever made the bytes that were read, or of this machine.
 */
export type Blame = "caller" | "peer" | "machine";
/**
 * What a document of a client specification has (docs/formats.md), as far as it is shown here.
 */
export type SpecificationDocument = {
    model: {
        name: string;
    };
    input: {
        width: number;
        height: number;
        channels?: number;
    };
    labels: string[];
    fraction_bits: number;
    engines: {
        parameters: string;
    }[];
};
/**
 * What the network says of a picture.
 */
export type Decision = {
    /**
     * The class with the highest score.
     */
    label: number;
    /**
     * Its name.
     */
    name: string;
    /**
     * The score of each class.
     */
    scores: number[];
    /**
     * The same, as the integers that they are multiples of.
     */
    integers: bigint[];
};
/** The functions of the module, with values in place of handles. */
declare class Border {
    /**
     * @param {Host} host
     * @param {WebAssembly.Instance} instance
     */
    constructor(host: Host, instance: WebAssembly.Instance);
    /** Bytes of the module's memory. */
    get memoryBytes(): number;
    /**
     * Calls a function that returns a handle.
     *
     * @param {string} name
     * @param {...number} values
     * @returns {number}
     */
    handle(name: string, ...values: number[]): number;
    /**
     * Calls a function that returns a number.
     *
     * @param {string} name
     * @param {...number} values
     * @returns {number}
     */
    number(name: string, ...values: number[]): number;
    /**
     * Calls a function that returns a buffer, and copies what is in it.
     *
     * @param {string} name
     * @param {...number} values
     * @returns {Uint8Array<ArrayBuffer>}
     */
    bytes(name: string, ...values: number[]): Uint8Array<ArrayBuffer>;
    /**
     * Copies bytes to a new buffer, for a function that takes one.
     *
     * @param {Uint8Array} bytes
     * @returns {number}
     */
    buffer(bytes: Uint8Array): number;
    /** @param {string} text */
    text(text: string): number;
    /** @param {number} handle */
    release(handle: number): void;
    /** Overwrites all of the module's memory, after which it runs no more. */
    close(): void;
    #private;
}
/** For {@link Specification} alone. */
declare const CLIENT: unique symbol;
/** What the module calls. */
declare class Host {
    /** @type {WebAssembly.Memory | undefined} */
    memory: WebAssembly.Memory | undefined;
    /** The message of the panic that stopped the module. */
    panic: string;
    /** Fills memory with random bytes; anything but 0 says that there are none. */
    random: (/** @type {number} */ address: number, /** @type {number} */ length: number) => 0 | 1;
    panicked: (/** @type {number} */ address: number, /** @type {number} */ length: number) => void;
    #private;
}
export {};
