// A quad as it is stored. WIDE 1 reads it as two numbers of 64 bits. A software adapter loads number by number and lane
// by lane, so half as many numbers take half the time.
#if WIDE
alias Stored = vec2<u64>;

fn quad_of(stored: Stored) -> vec4f {
    let low = vec2<u32>(stored);
    let high = vec2<u32>(stored >> vec2u(32));
    return bitcast<vec4f>(vec4u(low.x, high.x, low.y, high.y));
}
#else
alias Stored = vec4f;

fn quad_of(stored: Stored) -> vec4f {
    return stored;
}
#end
