/** The transport under every wire: four methods, no semantics. A thread's MessagePort, a child's pipe and a test's pair all fit it. */

export interface Port<Out, In> {
  /** Never throws after the other side has gone; the message is then lost with it. */
  post(message: Out): void;
  /** One receiver at a time. Messages that arrive before there is one are kept. */
  receive(receiver: (message: In) => void): void;
  /** Runs once, also when the port had closed before. */
  onClose(listener: () => void): void;
  close(): void;
}
