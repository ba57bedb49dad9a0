/** Goal: files lie where each system keeps them. Method: cli §3.14. */
import { expect, test } from 'vitest'
import { directoriesOf } from '../../../src/core/base/directories.ts'

const linux = (environment: Record<string, string>) =>
  directoriesOf({ environment, home: '/home/a', platform: 'linux' })

test('by default files lie in the folders of the user', () => {
  expect(linux({})).toEqual({
    config: '/home/a/.config/ckbtc',
    data: '/home/a/.local/share/ckbtc',
    state: '/home/a/.local/state/ckbtc',
    cache: '/home/a/.cache/ckbtc',
    runtime: '/home/a/.local/state/ckbtc',
  })
})

test('the variables of XDG are followed, empty ones are not', () => {
  const directories = linux({ XDG_CONFIG_HOME: '/c', XDG_RUNTIME_DIR: '/r', XDG_CACHE_HOME: '' })
  expect(directories.config).toBe('/c/ckbtc')
  expect(directories.runtime).toBe('/r/ckbtc')
  expect(directories.cache).toBe('/home/a/.cache/ckbtc')
})

test('CKBTC_HOME holds everything', () => {
  expect(Object.values(linux({ CKBTC_HOME: '/x' })).every((path) => path.startsWith('/x'))).toBe(
    true,
  )
})

test('Windows has folders of its own', () => {
  const environment = { APPDATA: 'C:/r', LOCALAPPDATA: 'C:/l' }
  const directories = directoriesOf({ environment, home: 'C:/u', platform: 'win32' })
  expect([directories.config, directories.state]).toEqual(['C:/r/ckbtc', 'C:/l/ckbtc'])
})
