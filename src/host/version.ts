/** What the subnet calls itself towards clients. Source: IC interface §8. */

export const IMPLEMENTATION = 'ckbtc-0.1.0'
