/** What the cluster's rooms say. */

export interface ClusterEvents {
  /** There is one now that there was not, or it is another one. Never carries credentials. */
  'connection:changed': {
    readonly server: string;
    /** Where it was read. */
    readonly origin: string;
    /** `token`, `ca`, `server`, …: what is not as it was. */
    readonly changed: readonly string[];
  };
  /** It cannot be read at the moment; the last one stays in use. Said once, until it works again. */
  'connection:unreadable': { readonly reason: string };
}
