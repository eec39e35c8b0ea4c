/** One measurement. Less is better; `ratio` is ours to the peer's, or what the goal is of. */
export interface Benchmark {
  name: string
  unit: string
  goal?: number
  run(): Promise<{ ours: number; peer?: number; ratio?: number }>
}
