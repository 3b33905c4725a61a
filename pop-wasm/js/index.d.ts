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

/** What this module throws, beside what `WebSocket` and `fetch` throw by themselves. Decide by `code`. */
export class PopError extends Error {
  private constructor();
  readonly name: "PopError";
  readonly code: PopErrorCode;
}

export interface Options {
  /**
   * The only origin that is ever dialled and that proofs name, as `location.origin` spells it: without a path, and
   * without the port that its scheme has anyway. Default: the page's own.
   */
  origin?: string;
  /**
   * The session's CSRF token, or what gives it. Default: the cookie `csrf`, which workers
   * cannot read.
   */
  csrf?: string | (() => string | Promise<string>);
}

/** What happens to key and session: here, in another tab, or because the browser keeps no keys. */
export type Status = "key-replaced" | "signed-out" | "memory-only";

export interface PopClientEvents {
  status: CustomEvent<Status>;
}

/**
 * The proof-of-possession client of one origin. Its event `status` tells what happens to the session. Addresses
 * that are relative begin at this origin, whatever the address of the page or worker is.
 */
export class PopClient extends EventTarget {
  private constructor();
  /** Finds the stored key, if there is one. */
  static open(options?: Options): Promise<PopClient>;
  /** The RFC 7638 thumbprint of the current key. */
  readonly thumbprint: string | undefined;
  /** Makes a fresh key, not extractable. It is not current until a ceremony vouched for it. */
  makeKey(): Promise<NewKey>;
  /**
   * The server has accepted that ceremony: the key, which this client has made, is current, in every tab. It
   * replaces nothing at the server, which refuses a key that no ceremony has named.
   */
  adopt(key: NewKey): Promise<"stored" | "memory-only">;
  /** Whether another tab has stored a newer key, which is current now: a refused request is worth one more try. */
  refreshKey(): Promise<boolean>;
  /** The value of the header `DPoP` (RFC 9449) for one request to this client's origin. */
  proof(method: string, url: string | URL): Promise<string>;
  /**
   * Keeps the header `DPoP-Nonce` of a response for the proofs to come of this client; `fetch` does it by itself.
   */
  noteNonce(nonce: string): void;
  /**
   * `fetch` with a proof and the session's CSRF token. Where only a fresh nonce was missing (RFC 9449 section 9:
   * the header `WWW-Authenticate` says `use_dpop_nonce`), or another tab had signed in anew, it tries again by
   * itself; a body that can be read only once is sent once, and the refusal is yours to judge. A redirect is an error.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Opens a WebSocket, and keeps it open until `close()`. */
  connect(url: string | URL, protocols?: string | string[]): PopSocket;
  /**
   * Opens a stream of server-sent events, likewise. Tabs of one browser share one connection for the same
   * address: a tab that joins hears what comes from then on, so fetch what was before at each `open`.
   * Where the browser has no `EventSource`: `not_supported`.
   */
  stream(url: string | URL): PopEventSource;
  /** Signing out: removes the key, ends every connection, tells the other tabs. */
  destroy(): Promise<void>;
  onstatus: ((this: PopClient, event: CustomEvent<Status>) => unknown) | null;
  addEventListener<K extends keyof PopClientEvents>(
    type: K,
    listener: (this: PopClient, event: PopClientEvents[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** A key that no ceremony has vouched for yet. */
export class NewKey {
  private constructor();
  /** For the ceremony's token; nothing once it is adopted. */
  readonly thumbprint: string | undefined;
  /** A proof with this key, for the request that ends the ceremony. */
  proof(method: string, url: string | URL): Promise<string>;
}

/** How a connection stands, for a person to see. `open` is told again after every challenge. */
export type ConnectionState =
  | { state: "connecting" | "proving" | "held" }
  | { state: "open"; rttMs: number }
  | { state: "waiting"; retryInMs: number }
  | { state: "ended"; why: "closed" | "ended_by_application" | "signed_out" | "no_key" | "ended_by_owner" | "refused" };

/**
 * A WebSocket that is proven and comes back by itself. It is open from its first proof until either end closes it
 * (`close` with that one's code and reason; 4400 to 4499 and codes like 1001 and 1011, with which it comes back,
 * are no application's last word) or it ends for good (4403: sign in, 4404: its owner ended it, 4400: refused);
 * what happens in between is told by `state`. While it is held back or lost, up to 64 KiB wait; more throws
 * `too_much_held`, and a `Blob`, which is read first and counts in `bufferedAmount` only then, tells of it by `error`.
 * Holdfast's server takes messages of at most 64 KiB: a larger one ends the connection with 4400.
 *
 * Only a proven connection, whose last `state` is `open`, says `close`'s code and reason: they say that all before
 * them has arrived. On any other, or where a `Blob` was lost, `close` ends it with `error` and 1006.
 */
export interface PopSocket extends WebSocket {
  /** Does not wait for the next try. */
  retryNow(): void;
  onstate: ((this: PopSocket, event: CustomEvent<ConnectionState>) => unknown) | null;
}

/** Made by {@link PopClient.connect} alone. */
export const PopSocket: Pick<typeof WebSocket, "prototype" | "CONNECTING" | "OPEN" | "CLOSING" | "CLOSED">;

/**
 * Server-sent events that are proven and come back by themselves. No request carries `Last-Event-ID`, since each
 * time it is a new connection: what was missed is to be fetched at each `open`. Of the server's events, `pop` is
 * the protocol's, and those that are named `open`, `error` or `state` are not heard: these are its own.
 */
export interface PopEventSource extends EventSource {
  /** Does not wait for the next try. */
  retryNow(): void;
  onstate: ((this: PopEventSource, event: CustomEvent<ConnectionState>) => unknown) | null;
}

/** Made by {@link PopClient.stream} alone. */
export const PopEventSource: Pick<typeof EventSource, "prototype" | "CONNECTING" | "OPEN" | "CLOSED">;
