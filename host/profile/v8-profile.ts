/** What V8 writes into its profiles, as far as it is used here. Pure types. */

export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0; -1 where there is no source. */
  readonly lineNumber: number;
}

export interface CpuNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

export interface V8CpuProfile {
  readonly nodes: readonly CpuNode[];
  /** Microseconds of an unknown origin. */
  readonly startTime: number;
  readonly endTime: number;
  /** The node that was on top, sample by sample. */
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

export interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

export interface V8HeapProfile {
  readonly head: HeapNode;
}
