//! Whole numbers in as few bytes as they need (LEB128): seven bits a byte, the lowest first, the top bit set on all but
//! the last.

/// Appends a number.
pub fn write(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front; `None` where the bytes end too early or the number is too great.
pub fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_reads_back(number: u64, small in 0u64..1000, tail: Vec<u8>) {
            for number in [number, small, u64::MAX, 0] {
                let mut bytes = Vec::new();
                write(&mut bytes, number);
                bytes.extend(&tail);
                let mut rest = bytes.as_slice();
                prop_assert_eq!(read(&mut rest), Some(number));
                prop_assert_eq!(rest, tail.as_slice());
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            read(&mut bytes.as_slice());
        }
    }
}
