/** The environment that the keeper gives to the host it starts: its own, with what only a new process can be told. */

export function hostEnvironment(defaults: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...defaults, ...process.env };
}
