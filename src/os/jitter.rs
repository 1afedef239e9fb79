//! Chance, so that many hosts do not try again at the same moment.

/// Draws a number from 0 to 999.
pub(crate) fn thousandth() -> u32 {
    let mut bytes = [0u8; 4];
    // Without chance everybody waits equally long, which is no harm to the one who waits.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    u32::from_le_bytes(bytes) % 1000
}
