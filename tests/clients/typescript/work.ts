// A tenant's work through a client whose types openapi-typescript generated. `schema.d.ts` is made by the test.
// Each step fails loudly; the last line of the output is read by the test.
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

type Schemas = components['schemas']
type Finding = Schemas['Finding']

const baseUrl = given('VENDORRISK_URL')
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${given('VENDORRISK_KEY')}` } })

function given(name: string): string {
  const value = process.env[name]
  ok(value, `${name} is not set`)
  return value
}

/** Return the body of a success, with the version that its ETag names. */
function done<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }) {
  ok(data !== undefined && data !== null, `${response.status}: ${JSON.stringify(error)}`)
  return { body: data, etag: response.headers.get('ETag') ?? '' }
}

async function registerVendor(): Promise<string> {
  // Only the required field and the ones that are used: a default never has to be sent.
  const nimbus = { name: 'Nimbus', domains: ['nimbus.example'], tags: ['cloud'] } satisfies Schemas['NewVendor']
  const header = { 'Idempotency-Key': randomUUID() }
  const made = done(await api.POST('/v1/vendors', { params: { header }, body: nimbus }))
  const again = done(await api.POST('/v1/vendors', { params: { header }, body: nimbus }))
  equal(again.body.id, made.body.id)
  done(await api.POST('/v1/vendors', { body: { name: 'Globex' } }))
  return made.body.id
}

async function listVendors(): Promise<void> {
  const query = { filter: ['name:eq:Nimbus'], total: true }
  const page = done(await api.GET('/v1/vendors', { params: { query } })).body
  deepEqual(page.items.map((vendor) => vendor.name), ['Nimbus'])
  equal(page.total, 1)
}

async function changeVendor(vendor_id: string): Promise<void> {
  const path = { vendor_id }
  const { etag } = done(await api.GET('/v1/vendors/{vendor_id}', { params: { path } }))
  const params = { path, header: { 'If-Match': etag } }
  const body = { description: 'Hosts our mail' }
  const changed = done(await api.PATCH('/v1/vendors/{vendor_id}', { params, body })).body
  deepEqual([changed.description, changed.tags, changed.version], ['Hosts our mail', ['cloud'], 2])
  const { error } = await api.PATCH('/v1/vendors/{vendor_id}', { params, body: { name: 'Late' } })
  equal(error?.code, 'version_stale')
}

async function handleRefusals(): Promise<void> {
  const { error, response } = await api.POST('/v1/vendors', { body: { name: 'Nimbus' } })
  equal(response.status, 409)
  equal(error?.code, 'vendor_name_taken')
  equal(error.errors?.[0]?.pointer, '/name')
  const unknown = { path: { vendor_id: randomUUID() } }
  const missing = await api.GET('/v1/vendors/{vendor_id}', { params: unknown })
  equal(missing.error?.status, 404)
  equal(missing.data, undefined)
}

async function recordReport(vendor_id: string): Promise<void> {
  const year = new Date().getUTCFullYear() - 1
  const body: Schemas['NewSoc2Report'] = {
    vendor_id,
    report_type: 'type_2',
    opinion: 'unqualified',
    categories: ['security'],
    period_start_on: `${year}-01-01`,
    period_end_on: `${year}-12-31`,
  }
  const report = done(await api.POST('/v1/soc2-reports', { body })).body
  match(report.id, /^[0-9a-f-]{36}$/)
  const coverage = done(await api.GET('/v1/vendors/{vendor_id}/coverage', { params: { path: { vendor_id } } })).body
  ok(coverage.services[0]?.timeline.some((span) => span.report_id === report.id), 'the report is in the timeline')
}

async function workOnFinding(vendor_id: string): Promise<Finding> {
  const body = { vendor_id, title: 'No MFA for administrators', severity: 'high' } as const
  const opened = done(await api.POST('/v1/findings', { body }))
  const params = { path: { finding_id: opened.body.id }, header: { 'If-Match': opened.etag } }
  const transition: Schemas['NewTransition'] = { to: 'acknowledged', reason: 'Confirmed with the vendor.' }
  done(await api.POST('/v1/findings/{finding_id}/transitions', { params, body: transition }))
  const query = { filter: [`vendor_id:eq:${vendor_id}`] }
  const [finding, ...others] = done(await api.GET('/v1/findings', { params: { query } })).body.items
  ok(finding)
  deepEqual([finding.state, finding.version, others.length], ['acknowledged', 2, 0])
  return finding
}

async function addReceiver(): Promise<void> {
  const target = { kind: 'webhook', url: 'https://hooks.example.com/x' } as const
  const { secret } = done(await api.POST('/v1/receivers', { body: { name: 'Ticketing', target } })).body
  match(secret ?? '', /^whsec_/)
}

async function readOverview(vendor_id: string, finding: Finding): Promise<void> {
  const seen = done(await api.GET('/v1/vendors/{vendor_id}/overview', { params: { path: { vendor_id } } })).body
  equal(seen.vendor.name, 'Nimbus')
  deepEqual(seen.findings.map(({ id, state }) => [id, state]), [[finding.id, finding.state]])
}

/** What a later release answers compiles today; what may be sent is closed. */
function readLaterReleases(vendor: Schemas['Vendor'], finding: Finding): void {
  const later: Schemas['Vendor'] = { ...vendor, lifecycle: 'paused', tier: 'extreme' }
  deepEqual([later.lifecycle, later.tier], ['paused', 'extreme'])
  const state: Finding['state'] = 'escalated'
  equal({ ...finding, state }.state, 'escalated')
  const code: Schemas['Problem']['code'] = 'invented_later'
  equal(code, 'invented_later')
  // @ts-expect-error a value that may not be sent
  const unknown: Schemas['NewVendor'] = { name: 'X', lifecycle: 'paused' }
  // @ts-expect-error a field that may not be sent
  const more: Schemas['NewVendor'] = { name: 'X', invented: 1 }
  // @ts-expect-error a required field is missing
  const less: Schemas['NewFinding'] = { title: 'X', severity: 'high' }
  ok(unknown && more && less)
}

const vendor_id = await registerVendor()
await listVendors()
await changeVendor(vendor_id)
await handleRefusals()
await recordReport(vendor_id)
await addReceiver()
const finding = await workOnFinding(vendor_id)
await readOverview(vendor_id, finding)
const vendor = done(await api.GET('/v1/vendors/{vendor_id}', { params: { path: { vendor_id } } })).body
readLaterReleases(vendor, finding)
console.log(`the work is done for ${vendor.name}`)
