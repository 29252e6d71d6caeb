// A map in colour: texel = table[(value - low) / (high - low)], transparent outside the mask.
//
// maps [plane][ny][nx], of which `plane` is shown; table: 256 RGBA bytes, red lowest. One thread per pixel, x to the
// right and y down as in memory.
#use thread

@compute @workgroup_size(WORKGROUP)
fn colour(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    let n = p.nx * p.ny;
    if i >= n {
        return;
    }
    let t = (maps[p.plane * n + i] - p.low) / (p.high - p.low);
    // NaN becomes an undefined integer, so the index is clamped once more.
    let rgba = unpack4x8unorm(table[min(u32(round(clamp(t, 0.0, 1.0) * 255.0)), 255u)]);
    textureStore(picture, vec2u(i % p.nx, i / p.nx), select(vec4f(0.0), rgba, mask[i] > 0.0));
}
