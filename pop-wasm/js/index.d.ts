/** Loads the module, once however often it is called. Without a source it looks beside itself. */
export function init(
  source?: string | URL | Request | Response | BufferSource | WebAssembly.Module,
): Promise<void>;

export type PopErrorCode =
  | "not_loaded"
  | "no_key"
  | "not_supported"
  | "storage_refused"
  | "key_refused"
  | "wrong_origin"
  | "bad_argument"
  | "too_much_held"
  | "ended";

/** Everything that this module throws. Decide by `code`; `message` is for a person. */
export interface PopError extends Error {
  readonly name: "PopError";
  readonly code: PopErrorCode;
}

export interface Options {
  /** The only origin that is ever dialled and that proofs name. Default: the page's own. */
  origin?: string;
}

export const PopClient: {
  /** Finds the stored key, if there is one. */
  open(options?: Options): Promise<PopClient>;
};

/** The proof-of-possession client of one origin. */
export interface PopClient {
  /** The RFC 7638 thumbprint of the current key. */
  readonly thumbprint: string | undefined;
  /** Makes a fresh key, not extractable. It is not current until a ceremony vouched for it. */
  makeKey(): Promise<NewKey>;
  /** The server has accepted that ceremony: the key is current, in every tab. */
  adopt(key: NewKey): Promise<"stored" | "memory-only">;
  /** Whether another tab has stored a newer key, which is current now: a refused request is worth one more try. */
  refreshKey(): Promise<boolean>;
  /** The value of the header `DPoP` (RFC 9449) for one request to this client's origin. */
  proof(method: string, path: string): Promise<string>;
  /** Keeps the header `DPoP-Nonce` of a response for the proofs to come. */
  noteNonce(nonce: string): void;
  /** Opens a WebSocket and keeps it open until `close()`. `protocols`: with commas between them. */
  connect(path: string, protocols?: string): Connection;
  /** Opens a stream of server-sent events, likewise. */
  stream(path: string): Connection;
  /** Calls with what happens to key and session. */
  onStatus(listener: (status: "key-replaced" | "signed-out" | "memory-only") => void): void;
  /** Signing out: removes the key, ends every connection, tells the other tabs. */
  destroy(): Promise<void>;
}

/** A key that no ceremony has vouched for yet. */
export interface NewKey {
  readonly thumbprint: string | undefined;
  /** A proof with this key, for the request that ends the ceremony. */
  proof(client: PopClient, method: string, path: string): Promise<string>;
}

export type ConnectionState =
  | { state: "connecting" | "proving" | "held" }
  | { state: "open"; rttMs: number }
  | { state: "waiting"; retryInMs: number }
  | { state: "ended"; why: "closed" | "signed_out" | "no_key" | "ended_by_owner" | "refused" };

/** A live connection that proves itself and comes back by itself. */
export interface Connection {
  /** Messages of a WebSocket. */
  onMessage(listener: (data: string | Uint8Array) => void): void;
  /** The data of server-sent events of this name. */
  onEvent(name: string, listener: (data: string) => void): void;
  /** How it stands; `open` is told again after every challenge. */
  onState(listener: (state: ConnectionState) => void): void;
  /** Sends on a WebSocket; held back, up to 64 KiB, until it is proven. */
  send(data: string | Uint8Array): void;
  /** Does not wait for the next try. */
  retryNow(): void;
  /** Ends it. */
  close(): void;
}
