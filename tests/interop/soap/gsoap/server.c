/* MRS on gSOAP: the prefix `SOAP-ENV:`, its own prefixes for ours, the request's header echoed in a fault, and gzip
   that nobody asked for. Under /v12 it answers in SOAP 1.2. Arguments: chain and key in one PEM, CA in PEM, file for the port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CustomerBinding.nsmap"
#include "soapH.h"

#define MOST 1000
#define CANCELLED 3

static struct ns1__CustomerAccount accounts[MOST];
static char numbers[MOST][32];
static int count;

static int fault(struct soap *soap, const char *code)
{
    struct _ns2__ErrorResp *error = soap_malloc(soap, sizeof *error);
    memset(error, 0, sizeof *error);
    error->ns2__code = soap_strdup(soap, code);
    error->ns2__description = soap_strdup(soap, "Zo\303\253's 5234 0000 0000 1450 <refused>");
    soap_sender_fault(soap, "refused: Zo\303\253's 5234 0000 0000 1450", NULL);
    struct SOAP_ENV__Detail *detail = soap_malloc(soap, sizeof *detail);
    memset(detail, 0, sizeof *detail);
    detail->ns2__ErrorResp = error;
    if (soap->version == 2)
        soap->fault->SOAP_ENV__Detail = detail;
    else
        soap->fault->detail = detail;
    return SOAP_FAULT;
}

/* Answers in the SOAP version of the path, whatever the version of the request. */
static void choose_version(struct soap *soap)
{
    soap_set_version(soap, strncmp(soap->path, "/v12/", 5) == 0 ? 2 : 1);
}

static const char *app_id(struct soap *soap)
{
    return soap->header && soap->header->ns2__identity ? soap->header->ns2__identity->appID : "";
}

int __ns1__enroll(struct soap *soap, struct _ns1__enroll *request, struct _ns1__enrollResponse *answer)
{
    const char *number = request->customerFields->BANK_USCORECUSTOMER_USCORENUMBER;
    struct ns1__CustomerAccountFields *fields = request->customerAccountFields;
    choose_version(soap);
    if (strncmp(number, "FAULT", 5) == 0)
        return fault(soap, number + 5);
    if (!fields->BANK_USCOREACCOUNT_USCORENUMBER->encrypted || count == MOST || strlen(number) > 30)
        return fault(soap, "-44");
    char reference[40];
    snprintf(reference, sizeof reference, "R-%s", number);
    strcpy(numbers[count], number);
    accounts[count] = (struct ns1__CustomerAccount){
        .ns1__accountId = count + 1,
        .ns1__customerId = 7,
        .ns1__lastFourDigitsOfCard = "0123",
        .ns1__accountStatusId = (int)fields->ACCOUNT_USCORESTATUS_USCORECODE,
        .ns1__accountStatusDesc = "GOOD_STANDING",
        .ns1__bankProductCode = strdup(fields->BANK_USCOREPRODUCT_USCORECODE),
        .ns1__programIdentifier = strdup(fields->PROGRAM_USCOREIDENTIFIER),
        .ns1__referenceId = strdup(reference),
    };
    answer->ns1__referenceId = accounts[count].ns1__referenceId;
    answer->ns1__customerId = &accounts[count].ns1__customerId;
    count++;
    return SOAP_OK;
}

int __ns1__updateCustomerAccount(
    struct soap *soap, struct _ns1__updateCustomerAccount *request, struct _ns1__updateCustomerAccountResponse *answer)
{
    choose_version(soap);
    for (int i = 0; i < count; i++) {
        if (strcmp(accounts[i].ns1__referenceId, app_id(soap)) || accounts[i].ns1__accountStatusId == CANCELLED)
            continue;
        accounts[i].ns1__accountStatusId = *request->ACCOUNT_USCORESTATUS_USCOREID;
        answer->ns1__updateCustomerAccountResult = soap_malloc(soap, sizeof(struct ns2__Result));
        answer->ns1__updateCustomerAccountResult->ns2__success = xsd__boolean__true_;
        return SOAP_OK;
    }
    return fault(soap, "-10");
}

int __ns1__getCustomerAccounts(
    struct soap *soap, struct _ns1__getCustomerAccounts *request, struct _ns1__getCustomerAccountsResponse *answer)
{
    const char *number = app_id(soap);
    (void)request;
    choose_version(soap);
    if (strncmp(number, "FAULT", 5) == 0)
        return fault(soap, number + 5);
    for (int i = 0; i < count; i++)
        if (strcmp(numbers[i], number) == 0) {
            answer->__sizecustomerAccount = 1;
            answer->ns1__customerAccount = &accounts[i];
        }
    return SOAP_OK;
}

int __ns1__doEcho(struct soap *soap, char *text, char **answer)
{
    choose_version(soap);
    *answer = text;
    return SOAP_OK;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    struct soap *soap = soap_new1(SOAP_XML_STRICT | SOAP_C_UTFSTRING | SOAP_ENC_ZLIB);
    soap_set_omode(soap, SOAP_IO_CHUNK);
    if (soap_ssl_server_context(soap, SOAP_SSL_REQUIRE_CLIENT_AUTHENTICATION, argv[1], NULL, argv[2], NULL, NULL, NULL,
                                "mrs")
        || !soap_valid_socket(soap_bind(soap, "127.0.0.1", 0, 100))) {
        soap_print_fault(soap, stderr);
        return 1;
    }
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (getsockname(soap->master, (struct sockaddr *)&address, &size))
        return 1;
    char written[4096];
    snprintf(written, sizeof written, "%s.new", argv[3]);
    FILE *ready = fopen(written, "w");
    if (!ready)
        return 1;
    fprintf(ready, "%d", ntohs(address.sin_port));
    fclose(ready);
    if (rename(written, argv[3]))
        return 1;
    soap->send_timeout = soap->recv_timeout = 10;
    for (;;) {
        /* A failed connection, such as one without a certificate, does not affect others. */
        if (soap_valid_socket(soap_accept(soap)) && soap_ssl_accept(soap) == SOAP_OK)
            soap_serve(soap);
        soap_destroy(soap);
        soap_end(soap);
    }
}
