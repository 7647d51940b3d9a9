// Make a Postman collection of the document, send all of its requests to a running API, and write down the responses.
// Usage: VENDORRISK_URL=… VENDORRISK_KEY=… node postman.mjs DOCUMENT REPORT
//
// What the examples say is sent as it is. What no example can know is done as a person does it in Postman: each request
// has an Idempotency-Key of its own, an id becomes that of what a request has made, and a change names the version that
// the record has. In each folder what removes or withdraws something is sent last.
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import newman from 'newman'
import converter from 'openapi-to-postmanv2'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const OPTIONS = {
  parametersResolution: 'Example',
  requestParametersResolution: 'Example',
  exampleParametersResolution: 'Example',
  folderStrategy: 'Tags',
  optimizeConversion: false,
}

/** Return [pattern of a Location, name of the id in it] for each record that has an address. */
function addresses(paths) {
  const ending = Object.keys(paths).filter((path) => path.endsWith('}'))
  return ending.map((path) => [`${path.replace(/\{\w+\}/g, '[^/]+')}$`, path.slice(path.lastIndexOf('{') + 1, -1)])
}

function requests(folder) {
  return folder.item.flatMap((item) => (item.item ? requests(item) : [item.request]))
}

/** Make variables of the ids, and return the values that their examples gave them. */
function openIds(collection, names) {
  const values = {}
  for (const { url, header, body } of requests(collection)) {
    for (const variable of url.variable.filter(({ value }) => UUID.test(value))) {
      values[variable.key] = variable.value
      variable.value = `{{${variable.key}}}`
    }
    for (const name of body?.raw ? names : []) {
      body.raw = body.raw.replace(new RegExp(`("${name}": )"[0-9a-f-]{36}"`, 'g'), `$1"{{${name}}}"`)
    }
    const key = header.find((one) => one.key === 'Idempotency-Key')
    if (key) key.value = '{{$guid}}'
  }
  return values
}

/** Return the script that keeps the id of what a request has made. */
function keepingIds(places) {
  const exec = [
    `const places = ${JSON.stringify(places)}`,
    `const made = pm.response.code === 201 && pm.response.headers.get('Location')`,
    `const place = made && places.find(([pattern]) => new RegExp(pattern).test(made))`,
    `if (place) pm.environment.set(place[1], made.slice(made.lastIndexOf('/') + 1))`,
  ]
  return { listen: 'test', script: { type: 'text/javascript', exec } }
}

/** Return the script that reads the version of the record to change, at its own address or at one above. */
function namingVersions() {
  const exec = [
    `const [url, token] = ['baseUrl', 'bearerToken'].map((name) => pm.environment.get(name))`,
    `function read(path) {`,
    `  pm.sendRequest({ url: url + path, header: { Authorization: 'Bearer ' + token } }, (_, response) => {`,
    `    const etag = response && response.headers.get('ETag')`,
    `    if (etag) pm.request.headers.upsert({ key: 'If-Match', value: etag })`,
    `    else if (path.split('/').length > 3) read(path.slice(0, path.lastIndexOf('/')))`,
    `  })`,
    `}`,
    `if (pm.request.headers.has('If-Match')) read(pm.variables.replaceIn(pm.request.url.getPath()))`,
  ]
  return { listen: 'prerequest', script: { type: 'text/javascript', exec } }
}

/** Put what removes something behind what needs it, and the withdrawal of the whole behind the removal of a part. */
function removeLast(folder) {
  const rank = ({ request: { method, url } }) => (url.path.at(-1) === 'withdrawal' ? 2 : Number(method === 'DELETE'))
  folder.item.sort((one, other) => rank(one) - rank(other))
}

/** Return what a report says of a request that was sent. */
function row({ item, request, response, requestError }, examples) {
  const text = response?.text() ?? ''
  const sent = `${request.method} ${request.url.getPathWithQuery()}`
  return {
    name: item.name,
    sent,
    names_an_example: examples.some((id) => sent.includes(id)),
    body: request.body?.toString() ?? '',
    status: response?.code ?? 0,
    problem: response?.code >= 400 ? JSON.parse(text) : null,
    failure: requestError ? String(requestError) : null,
  }
}

const [documentFile, reportFile] = process.argv.slice(2)
const data = readFileSync(documentFile, 'utf8')
const converted = await promisify(converter.convertV2)({ type: 'string', data }, OPTIONS)
if (!converted.result) throw new Error(converted.reason)
const collection = converted.output[0].data
const places = addresses(JSON.parse(data).paths)
const ids = openIds(collection, places.map(([, name]) => name))
collection.item.forEach(removeLast)
collection.event = [namingVersions(), keepingIds(places)]
const values = { ...ids, baseUrl: process.env.VENDORRISK_URL, bearerToken: process.env.VENDORRISK_KEY }
const envVar = Object.entries(values).map(([key, value]) => ({ key, value }))
const { run } = await promisify(newman.run)({ collection, envVar, reporters: [], timeoutRequest: 20_000 })
if (run.failures.length > 0) throw new AggregateError(run.failures.map(({ error }) => error))
// A script that reads a version is written down under the name of its request, before the request itself.
const last = [...new Map(run.executions.map((execution) => [execution.item.id, execution])).values()]
const rows = last.map((execution) => row(execution, Object.values(ids)))
writeFileSync(reportFile, JSON.stringify(rows, null, 1))
console.log(`${rows.length} requests were sent`)
