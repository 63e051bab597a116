-- Arguments: key, path, a file with a body on each line. Each request posts the next.
local requests = {}
local at = 0

function init(args)
    local headers = { ["Authorization"] = "Bearer " .. args[1], ["Content-Type"] = "application/json" }
    for body in io.lines(args[3]) do
        requests[#requests + 1] = wrk.format("POST", args[2], headers, body)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end
