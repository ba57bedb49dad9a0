/**
 * Key files whose secrets are public, with their principals. Origin: `dfinity/icp-cli`
 * (`crates/icp-cli/tests/assets/`, names as in IC interface §27.6) and `dfinity/icp-js-core`
 * (`pem.test.ts`), both Apache-2.0.
 */

const block = (label: string, body: string): string =>
  [
    `-----BEGIN ${label}-----`,
    ...(body.match(/.{1,64}/g) ?? []),
    `-----END ${label}-----`,
    '',
  ].join('\n')

const sec1 = (body: string): string => block('EC PRIVATE KEY', body)
const pkcs8 = (body: string): string => block('PRIVATE KEY', body)
const parameters = (body: string): string => block('EC PARAMETERS', body)

const p256Body =
  'MHcCAQEEIDPvCy0Dn+iW+ItOElX6F29uhpG4aro3B44k6TEa7Q8KoAoGCCqGSM49AwEHoUQDQgAE8ml7yIPIr2DlV38RXoats0N55RxsyzkLwFOQHqVgQ0lFXdi/XxNgWgrJX3zL8m3BTNS2SwaqIUtllkRLrgcqnQ=='
const curvelessBody =
  'MGsCAQEEIGucoIozemHx4AuybfcAogFKbdEO+tm7sCR+1A2tvljsoUQDQgAEENNJgKUa+J0zMa1fqA/jDYhorYdSZGCzs+FVlu5Y6BJCKYfYWJumEJgmTfW7nC0/9v4GF0a0sxpE7CZjZjK4NQ=='

export const curveless = sec1(curvelessBody)
export const encrypted = block(
  'ENCRYPTED PRIVATE KEY',
  'MIHtMFgGCSqGSIb3DQEFDTBLMCoGCSsGAQQB2kcECzAdBBAqCEiswrN0Wo3rRVCsVYD5AgMCAAACAQgCAQEwHQYJYIZIAWUDBAEqBBA9C7GEwqRknMY/hMqgsCmUBIGQJGtxKtB+wXbfgZUvRyAiGr5RuctSHaF+OBT4ctdD02fmy/eBAWslKJ8DciSPVqaPL0B0+y0vMYG9pxaL3WGlDRIAs1OxlF6YlPGGatD2FcTFt0fpYjHrK1mj1IR7SRirfj6N8yzVxvOCHtFEINjo90SwBqM/Nak7jh1amcszlnNYJiZ1hq4APFPz2JeElld0',
)
export const ENCRYPTED_PASSPHRASE = 'swordfish'
export const BOTH_ARE = '5upke-tazvi-6ufqc-i3v6r-j4gpu-dpwti-obhal-yb5xj-ue32x-ktkql-rqe'

export const unsupportedCurve =
  parameters('BgUrgQQAIw==') +
  sec1(
    'MIHcAgEBBEIAlpiLOqDyFkbc17KIZln6mmkBnU17pAAL45XWW9hA6DyGLChc6Phtp4nicjdR4MTm7kWM3R35gOJD7+gYwL3zrPugBwYFK4EEACOhgYkDgYYABAGDKp7ziIgLlzn/YrEVxgz7vZOC+7p3Y1K0pEaau52UBUlfYVecSYcYrZyl/Fz7LhS9R1kDHbojxhnP09ulwfcoOwAbyUzrsjhZ2YMkwMsgljWBLfWFlfUymttT1pj95MyrUN79mOfmG7MgPXTsuo8mFwx8ccjiwpgwdpzMQkI0V+xP5g==',
  )

/** Files that need nothing else to be read: name, content, principal. */
export const published: readonly (readonly [string, string, string])[] = [
  [
    'alice_sec1_k256',
    sec1(
      'MHQCAQEEIJuWMc4BX7LWlt0H384ByBfXIlE5TIRYDQ3VsMH0D5QhoAcGBSuBBAAKoUQDQgAEy7NOO4Y3IKw5bhaqYbWJUdb8jQFIKhS/2gyvtZLNEIABSBQATvpbB3/dvIBXddEaiMrQBLHAJ9aOZ2WumQFyqw==',
    ),
    'fdsgv-62ihb-nbiqv-xgic5-iefsv-3cscz-tmbzv-63qd5-vh43v-dqfrt-pae',
  ],
  [
    'bob_sec1_k256',
    sec1(
      'MHQCAQEEIM+pYPWbTIiRTTyFSvG9v99jGQnd8xRKjcteefLbMBhooAcGBSuBBAAKoUQDQgAEMx1hJK3E1XCb9MU2TfKcHvkTDKR5Y9tIJXj2XzA79CMri6hA4piS9LHR79AW0le0gmFJ2bW0k8T7baU5BqCBxQ==',
    ),
    'pnf55-r7gzn-s3oqn-ah2v7-r6b63-a2ma2-wyzhb-dzbwb-sghid-lzcxh-4ae',
  ],
  [
    'decrypted_sec1_k256',
    sec1(
      'MHQCAQEEIGucoIozemHx4AuybfcAogFKbdEO+tm7sCR+1A2tvljsoAcGBSuBBAAKoUQDQgAEENNJgKUa+J0zMa1fqA/jDYhorYdSZGCzs+FVlu5Y6BJCKYfYWJumEJgmTfW7nC0/9v4GF0a0sxpE7CZjZjK4NQ==',
    ),
    BOTH_ARE,
  ],
  ['separate_params_sec1_k256', parameters('BgUrgQQACg==') + curveless, BOTH_ARE],
  [
    'pkcs8_k256',
    pkcs8(
      'MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQga5ygijN6YfHgC7Jt9wCiAUpt0Q762buwJH7UDa2+WOyhRANCAAQQ00mApRr4nTMxrV+oD+MNiGith1JkYLOz4VWW7ljoEkIph9hYm6YQmCZN9bucLT/2/gYXRrSzGkTsJmNmMrg1',
    ),
    BOTH_ARE,
  ],
  [
    'decrypted_sec1_p256',
    sec1(p256Body),
    'qkn3n-adewz-qvqxz-gkchb-ughyj-pl23l-ezdak-7rnds-fime4-si4tn-nae',
  ],
  [
    'separate_params_sec1_p256',
    parameters('BggqhkjOPQMBBw==') + sec1(p256Body),
    'qkn3n-adewz-qvqxz-gkchb-ughyj-pl23l-ezdak-7rnds-fime4-si4tn-nae',
  ],
  [
    'pkcs8_p256',
    pkcs8(
      'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgM+8LLQOf6Jb4i04SVfoXb26GkbhqujcHjiTpMRrtDwqhRANCAATyaXvIg8ivYOVXfxFehq2zQ3nlHGzLOQvAU5AepWBDSUVd2L9fE2BaCslffMvybcFM1LZLBqohS2WWREuuByqd',
    ),
    'qkn3n-adewz-qvqxz-gkchb-ughyj-pl23l-ezdak-7rnds-fime4-si4tn-nae',
  ],
  [
    'decrypted_pkcs8_ed25519',
    pkcs8('MC4CAQAwBQYDK2VwBCIEIKmQZLWPgPW+fmjdNqTdvpIM8uHSqEbtjDyGKU8ssRLG'),
    'jj5yb-kxwog-t6hmv-jxmpm-rtuci-uikjz-qkezj-4armi-wihgt-ulmi3-bqe',
  ],
  [
    'broken_dfx_pkcs8_ed25519',
    pkcs8(
      'MFMCAQEwBQYDK2VwBCIEIG3ed3wSQxzvolbHh78sqeJorU03Q0gc4hGeRcjC6Q3VoSMDIQBJK5H9sOWgFEFidi27yziJCwJ0rGb5H0imTYKG8/0GAA==',
    ),
    'x7ywp-7tq2e-kf2va-55mam-af7m6-5hvrz-apafo-ytb7z-fsuh2-qdo4s-nqe',
  ],
  [
    'icp-js-core',
    sec1(
      'MHQCAQEEIGfKHuyoCCCbEXb0789MIdWiCIpZo1LaKApv95SSIaWPoAcGBSuBBAAKoUQDQgAEahC99Avid7r8D6kIeLjjxJ8kwdJRy5nPrN9o18P7xHT95i0JPr5ivc9vCB8vG2s97NB0re2MhqvdWgradJZ8Ow==',
    ),
    '42gbo-uiwfn-oq452-ql6yp-4jsqn-a6bxk-n7l4z-ni7os-yptq6-3htob-vqe',
  ],
]
