-- Arguments: key, path with %d for a number, once or twice, how many numbers. Each request asks for the next.
local requests = {}
local at = 0

function init(args)
    local headers = { ["Authorization"] = "Bearer " .. args[1] }
    for n = 0, tonumber(args[3]) - 1 do
        requests[n] = wrk.format("GET", string.format(args[2], n, n), headers)
    end
    count = tonumber(args[3])
end

function request()
    at = (at + 1) % count
    return requests[at]
end
