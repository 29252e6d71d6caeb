// Random numbers without a state: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
// 1, 2, 3" (SC11), which passes TestU01's BigCrush. Equal counters and keys give equal numbers, on every device and in
// src/proof/philox.rs. Different counters or keys give independent numbers.

// Words of the buffer `step`: the same constants as in src/kernel/nn/dropout.rs.
const SEED: u32 = 0;
const STEP: u32 = 1;

// The high words of the 64-bit products, from halves of 16 bits. No sum here exceeds 32 bits.
fn high_product(a: vec2u, b: vec2u) -> vec2u {
    let half = vec2u(16u);
    let low = vec2u(0xffffu);
    let middle = (a >> half) * (b & low) + (((a & low) * (b & low)) >> half);
    let other = (a & low) * (b >> half) + (middle & low);
    return (a >> half) * (b >> half) + (middle >> half) + (other >> half);
}

// Returns four independent words, uniform over all u32.
fn philox(counter: vec4u, key: vec2u) -> vec4u {
    let factor = vec2u(0xd2511f53u, 0xcd9e8d57u);
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let high = high_product(c.xz, factor);
        let low = c.xz * factor;
        c = vec4u(high.y ^ c.y ^ k.x, low.y, high.x ^ c.w ^ k.y, low.x);
        k += vec2u(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}
