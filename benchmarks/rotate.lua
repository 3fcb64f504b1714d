-- wrk asks what benchmarks/checks.py describes. Arguments: a folder, the first request's number, the pace.

local places, credentials, middle, ending = {}, {}, nil, nil
local count, place_count, pace
local i, pass, place

local function read(folder, name)
    local file = assert(io.open(folder .. "/" .. name, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

local function read_parts(text, parts)
    -- Pieces hold line ends of their own: a zero byte ends each.
    for part in text:gmatch("([^%z]+)%z") do
        parts[#parts + 1] = part
    end
end

function init(args)
    read_parts(read(args[1], "places"), places)
    read_parts(read(args[1], "credentials"), credentials)
    middle, ending = read(args[1], "middle"), read(args[1], "end")
    count, place_count, pace = #credentials, #places, tonumber(args[3])
    local first = tonumber(args[2])
    i, pass = first % count, math.floor(first / count)
    place = (i * pace + pass) % place_count
end

function request()
    local text = places[place + 1] .. middle .. credentials[i + 1] .. ending
    i = i + 1
    place = place + pace
    if i == count then
        i = 0
        pass = pass + 1
        place = pass
    end
    -- Only a new pass can begin beyond the end by more than one round.
    if place >= place_count then
        place = place % place_count
    end
    return text
end

function done(summary, latency, requests)
    local errors = summary.errors
    local broken = errors.connect + errors.read + errors.write + errors.timeout
    io.write(string.format("COUNTED %d %d %d %d\n", summary.requests, summary.duration, errors.status, broken))
end
