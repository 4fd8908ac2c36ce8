/* A self-signed certificate and its key as PEM files. */
#ifndef NATARIS_TESTS_SUPPORT_TLS_FILES_H
#define NATARIS_TESTS_SUPPORT_TLS_FILES_H

#include "base/compiler.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

static X509 *tls_files_certificate(EVP_PKEY *key, const char *names) {
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
}

/* `names` such as "DNS:localhost,IP:127.0.0.1". */
UNUSED static void tls_files_write(const char *certificate_path, const char *key_path, const char *names) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = tls_files_certificate(key, names);
    FILE *certificate_file = fopen(certificate_path, "w");
    FILE *key_file = fopen(key_path, "w");
    if (certificate_file == NULL || key_file == NULL || PEM_write_X509(certificate_file, certificate) != 1 ||
        PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL) != 1) {
        perror("tls_files_write");
        abort();
    }
    fclose(certificate_file);
    fclose(key_file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

#endif
