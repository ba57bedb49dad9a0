/**
 * Keys whose secrets are public. Implements `docs/spec/cli.md` §3.12 (test keys) and
 * `docs/spec/ic-interface.md` §22 rule 6, §27.6.
 */
import type { Principal } from '../../core/ic/principal.ts'
import { textOfPrincipal } from '../../core/ic/principal.ts'
import { DEV_USERS } from '../identity.ts'

/** By principal, so that such a key is known in whatever file it comes. */
const published: ReadonlyMap<string, string> = new Map([
  ['noqii-f4ibs-n7asm-ba5gs-2nhe6-zjs6s-i5tcy-gfccv-2eewd-h7h7b-iqe', 'dev0'],
  ['bhfkk-b6xb5-xhmfx-xeil6-xbbov-qj3ol-fhwm4-oztcn-ldgbj-apiu3-4qe', 'dev1'],
  ['xy54z-ijy7t-7ltbn-hzbdv-b7w25-slvfi-67qds-fvh2e-pr5tc-docd5-iqe', 'dev2'],
  ['3gz32-jdnkt-3qjhq-dloif-vh5gp-zlmgv-fp7xb-3sui4-zdlmz-ddrje-jqe', 'dev3'],
  ['kjj6p-lgrqm-k6ajg-2lo6h-gqz6l-3nk6b-otugv-zy4cn-v7gvw-y5pjp-zqe', 'dev4'],
  ['fdsgv-62ihb-nbiqv-xgic5-iefsv-3cscz-tmbzv-63qd5-vh43v-dqfrt-pae', 'alice of icp-cli'],
  ['pnf55-r7gzn-s3oqn-ah2v7-r6b63-a2ma2-wyzhb-dzbwb-sghid-lzcxh-4ae', 'bob of icp-cli'],
  ['5upke-tazvi-6ufqc-i3v6r-j4gpu-dpwti-obhal-yb5xj-ue32x-ktkql-rqe', 'a test of icp-cli'],
  ['qkn3n-adewz-qvqxz-gkchb-ughyj-pl23l-ezdak-7rnds-fime4-si4tn-nae', 'a test of icp-cli'],
  ['jj5yb-kxwog-t6hmv-jxmpm-rtuci-uikjz-qkezj-4armi-wihgt-ulmi3-bqe', 'a test of icp-cli'],
  ['x7ywp-7tq2e-kf2va-55mam-af7m6-5hvrz-apafo-ytb7z-fsuh2-qdo4s-nqe', 'a test of icp-cli'],
  ['z2yk5-gbsi4-5eudl-y5q6u-qaqmf-37gjy-r66iy-oiqvb-d5nbr-5odxa-4qe', 'a test of icp-cli'],
  ['gu6g3-gzs4p-fyjio-reppd-qk7ef-lhput-eg36s-ofyim-gi6y4-ce3qs-zqe', 'a test of icp-cli'],
  ['bh66w-ffyze-maien-ejjje-wzhqi-crrjo-rcgs7-twjrh-kf2km-hbtia-eae', 'a test of icp-js-core'],
  ['42gbo-uiwfn-oq452-ql6yp-4jsqn-a6bxk-n7l4z-ni7os-yptq6-3htob-vqe', 'a test of icp-js-core'],
])

/** What the key is known as; nothing for a key that nobody has published. */
export const publishedKeyName = (principal: Principal): string | undefined =>
  published.get(textOfPrincipal(principal))

/** Which of the keys that every local subnet has a name stands for. */
export function devIndexOf(name: string): number | undefined {
  const index = /^dev(\d)$/.exec(name)?.[1]
  return index !== undefined && Number(index) < DEV_USERS ? Number(index) : undefined
}
