// Numbers the patches that are taken, along the rows of the lattice.
//
// points: the number of pixels inside each patch that is taken, else 0. Writes the rest of lattice (see
// kernels/tiles/overlap.wgsl): the number of patches, the number of each row's first patch, and that of each point's
// patch. Writes patches: (x, y, weight, view). The weight is the square of the share inside. One workgroup.
#use thread

@compute @workgroup_size(WORKGROUP)
fn lattice_number(@builtin(local_invocation_index) lane: u32) {
    let rows = u32(lattice[1]);
    let columns = u32(lattice[2]);
    let numbers = 5u + rows + 1u;
    for (var row = lane; row < rows; row += WORKGROUP) {
        var taken = 0;
        for (var column = 0u; column < columns; column++) {
            taken += i32(points[row * columns + column] > 0u);
        }
        lattice[5u + row] = taken;
    }
    storageBarrier();
    if lane == 0u {
        var first = 0;
        for (var row = 0u; row < rows; row++) {
            let taken = lattice[5u + row];
            lattice[5u + row] = first;
            first += taken;
        }
        lattice[5u + rows] = first;
        lattice[0] = first;
    }
    storageBarrier();
    for (var row = lane; row < rows; row += WORKGROUP) {
        var number = lattice[5u + row];
        for (var column = 0u; column < columns; column++) {
            let point = row * columns + column;
            lattice[numbers + point] = select(-1, number, points[point] > 0u);
            if points[point] > 0u {
                let at = vec2i(lattice[4], lattice[3]) + i32(p.stride) * vec2i(vec2u(column, row));
                let share = f32(points[point]) / f32(p.side * p.side);
                let view = (5u * column + 13u * row) % p.views;
                patches[number] = vec4f(vec2f(at), share * share, f32(view));
                number++;
            }
        }
    }
}
