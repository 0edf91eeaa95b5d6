use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// Flips one bit of the signature's bytes inside a `Signature` header.
fn flip_signature(text: &str, start: &str, end: char, bit: usize) -> String {
    let from = text.find(start).unwrap() + start.len();
    let length = text[from..].find(end).unwrap();
    let mut bytes = STANDARD.decode(&text[from..from + length]).unwrap();
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    format!("{}{}{}", &text[..from], STANDARD.encode(bytes), &text[from + length..])
}

/// Flips one of the low bits of one byte, so that the result is still text.
fn flip_text(text: &str, at: usize, bit: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = at % bytes.len();
    bytes[at] ^= 1 << (bit % 5);
    if bytes[at] == 0x7f {
        bytes[at] = b'x';
    }
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn flipping_a_bit_of_the_signature_is_detected(bit in any::<usize>()) {
        let request = TestRequest::post(cavage::sign);
        let text = flip_signature(&request.get("signature"), "signature=\"", '"', bit);
        prop_assert!(request.set("signature", &text).verify().is_err());
        let request = TestRequest::post(rfc9421::sign);
        let text = flip_signature(&request.get("signature"), "sig1=:", ':', bit);
        prop_assert!(request.set("signature", &text).verify().is_err());
    }

    #[test]
    fn flipping_a_bit_of_the_body_is_detected(bit in 0..BODY.len() * 8) {
        for scheme in SCHEMES {
            let mut request = TestRequest::post(scheme);
            request.body[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(request.parse().is_err());
        }
    }

    #[test]
    fn flipping_a_bit_of_a_covered_header_is_detected(name in 0..4usize, at in any::<usize>(), bit in any::<usize>()) {
        let (scheme, name): (Sign, _) = [
            (SCHEMES[0], "date"),
            (SCHEMES[0], "digest"),
            (SCHEMES[0], "host"),
            (SCHEMES[1], "content-digest"),
        ][name];
        let request = TestRequest::post(scheme);
        let text = flip_text(&request.get(name), at, bit);
        prop_assert!(request.set(name, &text).verify().is_err());
    }

    #[test]
    fn flipping_a_bit_of_the_input_is_detected(at in any::<usize>(), bit in any::<usize>()) {
        let request = TestRequest::post(rfc9421::sign);
        let text = flip_text(&request.get("signature-input"), at, bit);
        prop_assert!(request.set("signature-input", &text).verify().is_err());
    }

    #[test]
    fn no_headers_cause_a_panic(
        signature in "\\PC{0,80}|(keyId=\"https://m.example/\"|headers=\"[a-z() ]{0,20}\"|signature=\"AA==\"|created=-?[0-9]{0,30}|,){0,8}",
        input in "\\PC{0,80}|([a-z]=|\\(|\"@?[a-z]{0,6}\"|\\)|;[a-z]{1,3}=[0-9]{1,18}|,| |:[A-Z=]{0,4}:){0,12}",
        digest in "\\PC{0,40}",
        date in "\\PC{0,40}",
        target in "/\\PC{0,20}",
        both in any::<bool>(),
    ) {
        let mut request = TestRequest::post(cavage::sign);
        for (name, text) in [("signature", &signature), ("digest", &digest), ("date", &date), ("content-digest", &digest)] {
            if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
                request.headers.insert(name, value);
            }
        }
        if both && let Ok(value) = HeaderValue::from_bytes(input.as_bytes()) {
            request.headers.insert("signature-input", value);
        }
        request.target = target;
        prop_assert!(request.verify().is_err());
    }
}
