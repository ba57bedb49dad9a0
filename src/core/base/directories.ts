/** Where files lie, by system and environment. Implements `docs/spec/cli.md` §3.14. */

export type Directories = {
  readonly config: string
  /** Keys and networks. */
  readonly data: string
  /** Journal, subnet state, logs. */
  readonly state: string
  /** Deleting it is always safe. */
  readonly cache: string
  /** Descriptor and control socket of the running subnet. */
  readonly runtime: string
}

export type DirectoryFacts = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** As Node names it: `linux`, `darwin`, `win32`. */
  readonly platform: string
}

/** `CKBTC_HOME` puts all of it in one directory. */
export function directoriesOf({ environment, home, platform }: DirectoryFacts): Directories {
  const given = (name: string): string | undefined => {
    const value = environment[name]
    return value === undefined || value === '' ? undefined : value
  }
  const all = given('CKBTC_HOME')
  if (all !== undefined)
    return {
      config: all,
      data: all,
      state: `${all}/state`,
      cache: `${all}/cache`,
      runtime: `${all}/run`,
    }
  if (platform === 'win32') {
    const roaming = `${given('APPDATA') ?? `${home}/AppData/Roaming`}/ckbtc`
    const local = `${given('LOCALAPPDATA') ?? `${home}/AppData/Local`}/ckbtc`
    return { config: roaming, data: roaming, state: local, cache: `${local}/cache`, runtime: local }
  }
  const under = (name: string, standard: string): string =>
    `${given(name) ?? `${home}/${standard}`}/ckbtc`
  const state = under('XDG_STATE_HOME', '.local/state')
  const runtime = given('XDG_RUNTIME_DIR')
  return {
    config: under('XDG_CONFIG_HOME', '.config'),
    data: under('XDG_DATA_HOME', '.local/share'),
    state,
    cache: under('XDG_CACHE_HOME', '.cache'),
    runtime: runtime === undefined ? state : `${runtime}/ckbtc`,
  }
}
