// Index i + d on a ring of n elements, for |d| < n.
fn wrap(i: u32, d: i32, n: u32) -> u32 {
    let k = i32(i) + d;
    return u32(select(select(k, k - i32(n), k >= i32(n)), k + i32(n), k < 0));
}
