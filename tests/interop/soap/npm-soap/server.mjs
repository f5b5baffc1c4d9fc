// MRS on npm `soap`: prefix `soap:`, SOAP 1.1 or 1.2 whatever the request, gzip and encodings without negotiation.
// Arguments: the WSDL with its placeholders, chain, key, CA in PEM, file for the port.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { gzipSync } from 'node:zlib';
import soap from 'soap';

const [template, chain, key, authority, ready] = process.argv.slice(2);
const VARIANTS = {
  '/q11': { form: 'qualified' },
  '/u11': { form: 'unqualified' },
  '/q12': { form: 'qualified', soap12: true },
  '/u12': { form: 'unqualified', soap12: true },
  '/gzip': { form: 'qualified', coding: { headers: { 'Content-Encoding': 'gzip' }, encode: (xml) => gzipSync(xml) } },
  '/latin1': { form: 'qualified', coding: encodedAs('ISO-8859-1', (xml) => Buffer.from(xml, 'latin1')) },
  '/utf16': { form: 'qualified', coding: encodedAs('UTF-16', (xml) => Buffer.from(`\ufeff${xml}`, 'utf16le')) },
};

function fault(code, { soap12, form }) {
  const prefix = form === 'qualified' ? 'common:' : '';
  const detail = {
    'common:ErrorResp': {
      attributes: { 'xmlns:common': 'http://common.ws.mcrewards.mastercard.com/' },
      [`${prefix}code`]: code,
      [`${prefix}description`]: "Zoë's 5234 0000 0000 1450 <refused>",
    },
  };
  const text = "refused: Zoë's 5234 0000 0000 1450";
  const Fault = soap12
    ? { Code: { Value: 'soap:Sender' }, Reason: { Text: text }, Detail: detail, statusCode: 500 }
    : { faultcode: 'soap:Client', faultstring: text, detail, statusCode: 500 };
  return { Fault };
}

function services(variant) {
  const accounts = new Map();
  const refuse = (number) => {
    if (number.startsWith('FAULT')) throw fault(number.slice('FAULT'.length), variant);
  };
  const CustomerPort = {
    enroll({ customerFields, customerAccountFields: fields }) {
      const number = customerFields.BANK_CUSTOMER_NUMBER;
      refuse(number);
      if (fields.BANK_ACCOUNT_NUMBER.attributes.encrypted !== 'true') throw fault('-44', variant);
      const account = {
        accountId: accounts.size + 1,
        customerId: 7,
        lastFourDigitsOfCard: '0123',
        accountStatusId: Number(fields.ACCOUNT_STATUS_CODE),
        accountStatusDesc: 'GOOD_STANDING',
        bankProductCode: fields.BANK_PRODUCT_CODE,
        programIdentifier: fields.PROGRAM_IDENTIFIER,
        referenceId: `R-${number}`,
      };
      accounts.set(number, account);
      return { referenceId: account.referenceId, customerId: account.customerId };
    },
    updateCustomerAccount({ ACCOUNT_STATUS_ID: status }, _callback, { identity }) {
      const account = [...accounts.values()].find(({ referenceId }) => referenceId === identity.appID);
      if (!account || account.accountStatusId === 3) throw fault('-10', variant);
      account.accountStatusId = Number(status);
      return { updateCustomerAccountResult: { success: true } };
    },
    getCustomerAccounts(_request, _callback, { identity }) {
      refuse(identity.appID);
      const account = accounts.get(identity.appID);
      return { customerAccount: account ? [account] : [] };
    },
  };
  const DiagnosticPort = { doEcho: (text) => text };
  return { CustomerService: { CustomerPort }, DiagnosticService: { DiagnosticPort } };
}

/** Re-encodes an answer, and declares it in the XML declaration and the content type. */
function encodedAs(name, encode) {
  return {
    headers: { 'Content-Type': `text/xml; charset=${name}` },
    encode: (xml) => encode(xml.replace('encoding="utf-8"', `encoding="${name}"`)),
  };
}

/** Changes the encoding of an answer without a request for it. */
function recode(response, { headers, encode }) {
  let xml = '';
  response.write = (part) => {
    xml += part;
    return true;
  };
  const end = response.end.bind(response);
  response.end = (part) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    return end(encode(xml + (part ?? '')));
  };
}

const server = createServer(
  { cert: readFileSync(chain), key: readFileSync(key), ca: readFileSync(authority), requestCert: true },
  (_request, response) => response.writeHead(404).end(),
);
const definition = readFileSync(template, 'utf8');
for (const [path, variant] of Object.entries(VARIANTS)) {
  const xml = definition.replaceAll('@DEFAULT@', variant.form).replaceAll('@FORM@', variant.form).replaceAll('@PATH@', `${path}/MRS`);
  const both = services(variant);
  for (const name of Object.keys(both)) {
    soap.listen(server, { path: `${path}/MRS/${name}`, services: both, xml, forceSoap12Headers: variant.soap12 });
  }
}
const [handle] = server.listeners('request');
server.removeAllListeners('request');
server.on('request', (request, response) => {
  const { coding } = VARIANTS[`/${request.url.split('/')[1]}`] ?? {};
  if (coding) recode(response, coding);
  handle(request, response);
});
server.listen(0, '127.0.0.1', () => {
  writeFileSync(`${ready}.new`, String(server.address().port));
  renameSync(`${ready}.new`, ready);
});
