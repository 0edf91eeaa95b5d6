//! The test vectors of both specifications. They are older than the accepted window and cover less than required, so
//! only the signing string and the signature are tested with them.

use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::structured_fields::{self, MemberValue};
use super::*;
use crate::federation::public_key::tests::ED25519_PEM;
use crate::federation::public_key::{PublicKey, SignatureAlgorithm};

/// RFC 9421 appendix B.1.2.
const RSA_PSS_PEM: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----";

/// RFC 9421 appendix B.1.1, in the published PKCS#1 form.
const RSA_PEM: &str = "-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAhAKYdtoeoy8zcAcR874L8cnZxKzAGwd7v36APp7Pv6Q2jdsPBRrw
WEBnez6d0UDKDwGbc6nxfEXAy5mbhgajzrw3MOEt8uA5txSKobBpKDeBLOsdJKFq
MGmXCQvEG7YemcxDTRPxAleIAgYYRjTSd/QBwVW9OwNFhekro3RtlinV0a75jfZg
kne/YiktSvLG34lw2zqXBDTC5NHROUqGTlML4PlNZS5Ri2U4aCNx2rUPRcKIlE0P
uKxI4T+HIaFpv8+rdV6eUgOrB2xeI1dSFFn/nnv5OoZJEIB+VmuKn3DCUcCZSFlQ
PSXSfBDiUGhwOw76WuSSsf1D4b/vLoJ10wIDAQAB
-----END RSA PUBLIC KEY-----";

/// The request of RFC 9421 appendix B.2.
fn rfc_request() -> TestRequest {
    let mut request_data = TestRequest::post(cavage::sign)
        .set("host", "example.com")
        .set("date", "Tue, 20 Apr 2021 02:07:55 GMT")
        .set("content-type", "application/json")
        .set("content-length", "18")
        .set(
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        );
    request_data.origin = Origin::parse("https://example.com").unwrap();
    request_data.target = "/foo?param=Value&Pet=dog".to_owned();
    request_data.body = br#"{"hello": "world"}"#.to_vec();
    request_data
}

/// Returns whether the example verifies, and whether it still does with another path.
fn verifies(key: &str, algorithm: SignatureAlgorithm, input: &str, signature: &str) -> (bool, bool) {
    let member = &structured_fields::parse_dictionary(input, 1).unwrap()[0];
    let MemberValue::Bytes(signature) = &structured_fields::parse_dictionary(signature, 1).unwrap()[0].value
    else {
        panic!("a signature")
    };
    let key = PublicKey::from_pem(key).unwrap();
    let check = |request_data: TestRequest| {
        let request = SignedRequest {
            method: &request_data.method,
            target: &request_data.target,
            origin: &request_data.origin,
            headers: &request_data.headers,
            body: &request_data.body,
        };
        let covered = rfc9421::covered_components(member).unwrap();
        let base = rfc9421::signature_base(covered, &member.parameters, &request).unwrap();
        key.verifies(algorithm, &base, signature)
    };
    let mut changed = rfc_request();
    changed.target = "/other?Pet=cat".to_owned();
    (check(rfc_request()), check(changed))
}

#[test]
fn rfc_9421_b_2_1_minimal_signature_with_rsa_pss() {
    let input = r#"sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#;
    let signature = "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:";
    // It covers nothing, so the path does not matter.
    assert_eq!(verifies(RSA_PSS_PEM, SignatureAlgorithm::RsaPssSha512, input, signature), (true, true));
}

#[test]
fn rfc_9421_b_2_2_selected_components_with_rsa_pss() {
    let input = r#"sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example""#;
    let signature = "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:";
    // The query parameter is covered, the path is not.
    assert_eq!(verifies(RSA_PSS_PEM, SignatureAlgorithm::RsaPssSha512, input, signature), (true, false));
}

#[test]
fn rfc_9421_b_2_3_full_coverage_with_rsa_pss() {
    let input = r#"sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss""#;
    let signature = "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:";
    assert_eq!(verifies(RSA_PSS_PEM, SignatureAlgorithm::RsaPssSha512, input, signature), (true, false));
    assert_eq!(verifies(RSA_PSS_PEM, SignatureAlgorithm::RsaSha256, input, signature), (false, false));
    assert_eq!(verifies(RSA_PEM, SignatureAlgorithm::RsaPssSha512, input, signature), (false, false));
}

#[test]
fn rfc_9421_b_2_6_ed25519() {
    let input = r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
    let signature =
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";
    assert_eq!(verifies(ED25519_PEM, SignatureAlgorithm::Ed25519, input, signature), (true, false));
}

/// draft-cavage-12 appendix C. Its key of 1024 bits is too short to be accepted by `PublicKey`.
#[test]
fn cavage_c_1_to_c_3() {
    let pem = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3\
        6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6\
        Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw\
        oYi+1hqp1fIekaxsyQIDAQAB";
    let block = format!("-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----");
    assert_eq!(
        PublicKey::from_pem(&block).unwrap_err(),
        crate::federation::public_key::KeyError::InvalidSize
    );
    let mut request_data = TestRequest::post(cavage::sign)
        .set("host", "example.com")
        .set("date", "Sun, 05 Jan 2014 21:31:40 GMT")
        .set("content-type", "application/json")
        .set("digest", "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=")
        .set("content-length", "18");
    request_data.target = "/foo?param=value&pet=dog".to_owned();
    // C.1 has no `headers`, so by section 2.1.6 it covers only the date, which is not enough.
    assert!(
        cavage::SignatureParameters::parse(r#"keyId="Test",signature="AA==""#)
            .unwrap()
            .covered_headers()
            .is_err()
    );
    for header in [
        r#"keyId="Test",algorithm="rsa-sha256",headers="date",signature="SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS+lavg7T8hc0GppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM=""#,
        r#"keyId="Test",algorithm="rsa-sha256",headers="(request-target) host date", signature="qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0=""#,
        r#"keyId="Test",algorithm="rsa-sha256",created=1402170695, expires=1402170699,headers="(request-target) host date content-type digest content-length",signature="vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE=""#,
    ] {
        let parameters = cavage::SignatureParameters::parse(header).unwrap();
        let covered = parameters.covered_headers().unwrap();
        let request = SignedRequest {
            method: &request_data.method,
            target: &request_data.target,
            origin: &request_data.origin,
            headers: &request_data.headers,
            body: &request_data.body,
        };
        let message = cavage::signing_string(&covered, &request, &request_data.target, &parameters).unwrap();
        let key = UnparsedPublicKey::new(
            &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            STANDARD.decode(pem).unwrap(),
        );
        assert!(key.verify(&message, &parameters.signature).is_ok(), "{header}");
    }
}
