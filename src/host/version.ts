/** What the subnet calls itself towards clients. Source: IC interface §8. */

export const IMPLEMENTATION = 'ckbtc-0.1.0'
/** And towards Bitcoin nodes (bitcoin HS-1). */
export const USER_AGENT = '/ckbtc:0.1.0/'
