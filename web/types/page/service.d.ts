/**
 * The service's HTTP interface (docs/service.md) for browsers and Node: models, client specifications, cloud keys and jobs.
 *
 *     import { Service } from "./service.js";
 *     const service = new Service("https://example.org/", { token });
 *     const { id, parameters } = key;                                       // a secret key of client.js
 *     const cloudKey = key.cloudKey();
 *     await service.uploadKey(id, cloudKey.length, cloudKey.pieces());
 *     const job = await service.submit("sign-cnn", image);                  // an encrypted picture
 *     const scores = await service.scores(job.id, { onProgress: console.log });
 *
 * Every request may be sent again, and is, where the network or the service fails for a while.
 *
 * @module
 */
/**
 * A model, as the service describes it.
 *
 * @typedef {object} Model
 * @property {string} name
 * @property {string} description
 * @property {string} digest
 * @property {{ engine: "functional" | "gates", parameters: string, bootstraps: number | null }[]} engines
 */
/**
 * A cloud key, as the service has it.
 *
 * @typedef {object} Key
 * @property {string} id
 * @property {string | null} parameters
 * @property {number} bytes Of the whole key.
 * @property {number} received
 * @property {boolean} complete
 */
/**
 * An encrypted picture that is being evaluated.
 *
 * @typedef {object} Job
 * @property {string} id
 * @property {string} model
 * @property {string} key
 * @property {"queued" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number} bootstraps Those done.
 * @property {number} total
 * @property {string | null} layer
 * @property {number | null} seconds_left
 * @property {string | null} error
 */
/**
 * What a request is, for whoever shows or counts them.
 *
 * @typedef {object} Sent
 * @property {string} method
 * @property {string} path
 * @property {string} what What the request carries or asks for, in words.
 * @property {number} bytes Those of its body.
 */
/** The service refused, or a job failed. */
export class ServiceError extends Error {
    /**
     * @param {string} message One line.
     * @param {number} status The HTTP status; 0 where a job failed.
     * @param {number} [retryAfter] Seconds after which the service may have another answer.
     */
    constructor(message: string, status: number, retryAfter?: number);
    status: number;
    retryAfter: number;
}
/** No answer came, after all attempts. */
export class UnreachableError extends Error {
    /**
     * @param {string} message
     * @param {ErrorOptions} [options]
     */
    constructor(message: string, options?: ErrorOptions);
}
/** The service lost the beginning of a cloud key, whose pieces are gone. The key has to be made anew. */
export class UploadLostError extends Error {
    constructor();
}
/** A service at an address. */
export class Service {
    /**
     * @param {string | URL} base The address at which the service's paths begin.
     * @param {object} [options]
     * @param {string} [options.token] Sent with each request.
     * @param {typeof fetch} [options.fetch] In place of the platform's.
     * @param {(sent: Sent) => void} [options.onSent] Told of each request before it is sent.
     * @param {(error: Error, seconds: number) => void} [options.onPause] Told why and how long before another attempt.
     */
    constructor(base: string | URL, { token, fetch, onSent, onPause }?: {
        token?: string | undefined;
        fetch?: typeof globalThis.fetch | undefined;
        onSent?: ((sent: Sent) => void) | undefined;
        onPause?: ((error: Error, seconds: number) => void) | undefined;
    });
    /** A secret between the client and the service; without one it is empty. */
    token: string;
    /**
     * @param {AbortSignal} [signal]
     * @returns {Promise<Model[]>}
     */
    models(signal?: AbortSignal): Promise<Model[]>;
    /**
     * The client specification of a model, for `Module.readSpecification`.
     *
     * @param {string} model
     * @param {AbortSignal} [signal]
     */
    specification(model: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
    /**
     * What the service has of a cloud key; undefined where that is nothing.
     *
     * @param {string} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Key | undefined>}
     */
    key(id: string, signal?: AbortSignal): Promise<Key | undefined>;
    /**
     * Uploads a cloud key in parts, from its first byte. A part is kept until the service has it: pieces cannot be made again.
     *
     * @param {string} id
     * @param {number} total Bytes of the whole key.
     * @param {Iterable<Uint8Array<ArrayBuffer>>} pieces The key, in pieces of any sizes.
     * @param {object} [options]
     * @param {(received: number) => void} [options.onProgress] Told how many bytes the service has.
     * @param {AbortSignal} [options.signal]
     * @throws {UploadLostError} When the service lost what it had received. The key has to be made anew.
     */
    uploadKey(id: string, total: number, pieces: Iterable<Uint8Array<ArrayBuffer>>, { onProgress, signal }?: {
        onProgress?: ((received: number) => void) | undefined;
        signal?: AbortSignal | undefined;
    }): Promise<void>;
    /**
     * Forgets a cloud key, with its jobs. One that is not there is forgotten already.
     *
     * @param {string} id
     * @param {AbortSignal} [signal]
     */
    deleteKey(id: string, signal?: AbortSignal): Promise<void>;
    /**
     * Gives an encrypted picture to a model.
     *
     * @param {string} model
     * @param {Uint8Array<ArrayBuffer>} image The file of the encrypted picture.
     * @param {AbortSignal} [signal] Prevents another attempt. The answer to one is waited for: without it, its job could not be deleted.
     * @returns {Promise<Job>}
     */
    submit(model: string, image: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<Job>;
    /**
     * Waits for a job's encrypted scores.
     *
     * @param {string} id
     * @param {object} [options]
     * @param {(job: Job) => void} [options.onProgress]
     * @param {AbortSignal} [options.signal] Ends the waiting. The job goes on, until {@link deleteJob} cancels it.
     * @returns {Promise<Uint8Array<ArrayBuffer>>} Their file.
     */
    scores(id: string, { onProgress, signal }?: {
        onProgress?: ((job: Job) => void) | undefined;
        signal?: AbortSignal | undefined;
    }): Promise<Uint8Array<ArrayBuffer>>;
    /**
     * Cancels a job, and forgets it with its result.
     *
     * @param {string} id
     * @param {AbortSignal} [signal]
     */
    deleteJob(id: string, signal?: AbortSignal): Promise<void>;
    #private;
}
export type Request = Omit<Sent, "bytes"> & {
    body?: Uint8Array<ArrayBuffer>;
    headers?: Record<string, string>;
};
/**
 * A model, as the service describes it.
 */
export type Model = {
    name: string;
    description: string;
    digest: string;
    engines: {
        engine: "functional" | "gates";
        parameters: string;
        bootstraps: number | null;
    }[];
};
/**
 * A cloud key, as the service has it.
 */
export type Key = {
    id: string;
    parameters: string | null;
    /**
     * Of the whole key.
     */
    bytes: number;
    received: number;
    complete: boolean;
};
/**
 * An encrypted picture that is being evaluated.
 */
export type Job = {
    id: string;
    model: string;
    key: string;
    state: "queued" | "running" | "done" | "failed" | "cancelled";
    /**
     * Those done.
     */
    bootstraps: number;
    total: number;
    layer: string | null;
    seconds_left: number | null;
    error: string | null;
};
/**
 * What a request is, for whoever shows or counts them.
 */
export type Sent = {
    method: string;
    path: string;
    /**
     * What the request carries or asks for, in words.
     */
    what: string;
    /**
     * Those of its body.
     */
    bytes: number;
};
