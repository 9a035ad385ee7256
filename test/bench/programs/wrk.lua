-- Sends what load.ts has written for it, and checks every answer. Arguments: the file with the load.

local load
local sent = 0
local threads = {}

-- What is read from outside of a thread must be global.
wrong = 0
example = ''

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  load = dofile(args[1])
end

-- The requests in blocks: so many of the first, then as many of the second with the same ids …
function request()
  local round, at = math.floor(sent / load.block), sent % load.block
  sent = sent + 1
  local parts = load.requests[round % #load.requests + 1]
  local id = load.first + math.floor(round / #load.requests) * load.block + at
  return table.concat(parts, load.fresh and string.format('%010d', id) or load.id)
end

function response(status, headers, body)
  if status == load.status and string.find(body, load.holds, 1, true) then return end
  wrong = wrong + 1
  if wrong == 1 then example = status .. ' ' .. string.sub(body, 1, 300) end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed, told = errors.connect + errors.read + errors.write + errors.timeout, ''
  for _, thread in ipairs(threads) do
    failed = failed + thread:get('wrong')
    told = told .. thread:get('example')
  end
  local p50, p99 = latency:percentile(50) / 1000, latency:percentile(99) / 1000
  io.write(string.format('\nresult %d %d %g %g %d %s\n', summary.requests, summary.duration, p50, p99, failed, told:gsub('%c', ' ')))
end
