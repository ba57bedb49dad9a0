/** Loaded with `node --import`: writes the address of every module that is loaded to the file CKBTC_TEST_MODULES. */
import { register } from 'node:module'

const hooks = `
import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  appendFileSync(process.env.CKBTC_TEST_MODULES, url + '\\n')
  return next(url, context)
}`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)
