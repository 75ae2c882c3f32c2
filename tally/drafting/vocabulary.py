"""Words that headers and texts of credit files are made of, in English, German, French and Spanish. Data only.

A pattern is searched in a header in snake case; `_` stands for the boundary of a word there.
"""

from __future__ import annotations

import re
from typing import Final

MISSING: Final = frozenset({
    "", "?", "-", "--", ".", "*", "na", "n/a", "n.a.", "#n/a", "#na", "nan", "null", "nil", "(null)", "<na>", "none", "missing",
    "not available", "unknown", "unbekannt", "inconnu", "desconocido", "k.a.", "keine angabe", "not reported",
    "not applicable", "xna", "nat",
})
MEANINGFUL: Final = frozenset({"none", "unknown", "-", "unbekannt", "inconnu", "desconocido", "not applicable"})  # levels among levels

SENTINEL: Final = re.compile(r"-[19]|-?9{2,}(\.0+)?|-?8{3,}(\.0+)?|-1111|-?[12]147483647|-2147483648|-?1e\+?[0-9]{2}")

PROTECTED: Final = {
    "age": re.compile(r"^_((applicant|borrower|customer|client|person|cust|app)_)?age(_(years|yrs|in_years|group|band|cat|at_\w+))?_$|"
                      r"_(alter|edad)_"),
    "national origin": re.compile(r"national(ity|_origin|idad|ite)|citizen|staatsangeh|foreign|auslaend|auslander|etranger|extranjer|"
                                  r"immigra|native_country|country_of_origin|geburts_?(ort|land|staat)|birth_?(place|country|city|state)|"
                                  r"(place|country|city|state)_of_birth|(lieu|pays|ville)_(de_)?naissance|(lugar|pais)_(de_)?nacimiento"),
    "date of birth": re.compile(r"birth|_dob_|geburt|naissance|nacimiento"),
    "sex or gender": re.compile(r"_sex(e|o)?_|gender|geschlecht|_genre_|_genero_|_female_|_male_|anrede|salutation|"
                                r"civilite|tratamiento"),
    "race or ethnic origin": re.compile(r"_race_|racial|ethnic|_rasse_|_raza_|ethnie|_etnia_|hispanic|skin_colou?r"),
    "religion": re.compile(r"relig|konfession"),
    "marital status": re.compile(r"marital|marriage|_married_|spouse|familienstand|civil_status|estado_civil|etat_civil|"
                                 r"situation_familiale|family_status|personal_status|_marit"),
    "disability": re.compile(r"disab|behinder|handicap|discapacidad"),
    "pregnancy": re.compile(r"pregnan|schwanger|enceinte|embaraz|maternity"),
    "sexual orientation": re.compile(r"orientation"),
    "public assistance": re.compile(r"public_assist|welfare|sozialhilfe"),
}

PERSONAL: Final = re.compile(
    r"_((first|last|full|sur|middle|given|family|maiden|customer|client|borrower|applicant|member|person|employer|company|spouse)_?)?name_|"
    r"_(vor|nach|familien)name_|_(pre)?nom_|_nombre_|_apellidos?_|e_?mail|correo|phone|_tel(efon|efono)?_|mobile|handy|address|street|"
    r"adresse|strasse|direccion|_rue_|house_n|_zip|post_?code|postal|_plz_|ssn|social_sec|sozialvers|national_id|nat_id|passport|ausweis|"
    r"_dni_|_nif_|_nino_|aadhaar|tax_(id|no|num)|steuer|iban|_bic_|account_(number|no)_|acct_(number|no)_|konton|card_(number|no)_|"
    r"_ip(_address)?_|device_id|latitude|longitude|_emp_title_|_url_",
)
# A person by the header alone, whoever it is: "name", "surname of spouse", "Sachbearbeiter". A product's or a branch's name is none.
PERSON: Final = re.compile(
    r"^_(full_?|customer_?|client_?|borrower_?|applicant_?|member_?|person_?|kunden?_?)?names?_(\d+_)?$|"
    r"_(first|last|full|sur|middle|given|family|maiden|customer|client|borrower|applicant|member|person|spouse|owner|guarantor|"
    r"officer|agent|manager|contact|partner|kunden|user)_?names?_|names?_of_(the_)?(spouse|owner|borrower|applicant|officer|customer|partner)|"
    r"(vor|nach|familien|geburts|kunden|zu)name|_(pre)?nom_|_nombres?_|_apellidos?_|sachbearbeit|bearbeiter|betreuer|_berater|vermittler|"
    r"ansprechpartner|buerge|_burge_|officer|caseworker|case_?(handler|manager|owner)|underwriter_|handled_by|(approved|decided|signed|entered)_by|"
    r"(account|relationship|branch|loan)_manager|(loan|credit|collection|sales)_agent|^_(agent|adviso?e?r|analyst|clerk|handler|gestor|"
    r"conseiller|guarantor|co_?signer)_$",
)
DURATION: Final = re.compile(r"month|year|_yrs?_|_days?_|count|number_of|_length_|since")  # "months at address" is no address
PERSONAL_TEXT: Final = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}"),
    "bank account numbers": re.compile(r"[A-Z]{2}[0-9]{2} ?([A-Z0-9]{4} ?){2,7}[A-Z0-9]{0,4}"),
    "social security numbers": re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}"),
    "telephone numbers": re.compile(r"(?=.*[-+() /])\+?[0-9(][0-9() ./-]{7,18}[0-9]"),
}

BEFORE: Final = re.compile(r"prior|previous|_past_|histor|since|within|_last_\d|_\d+_?(m|mth|mths|months?|y|yrs?|d|days)_|_ever_|existing|"
                           r"bureau|fr(u|ue)her|bisher|schufa")
AFTERWARDS: Final = re.compile(
    r"recover|collection|last_(pymnt|payment|pmt)|next_(pymnt|payment)|total_(rec|pymnt|paid)|charge_?d?_?off|chgoff|chrgoff|out_prncp|"
    r"outstanding_princ|hardship|settle|default_(date|amount|reason)|date_of_default|clos(ed|ure|ing)_|write_?off|written_off|_loss|_lgd_|"
    r"_ead_|foreclos|reposs|resol(ved|ution)|legal_action|dunning|mahn|verwertung|last_(fico|credit_pull)|final_|months_in_arrears|"
    r"dpd_(max|at_default)|disposition|_bankruptcy_date_|verzug|"
    r"r(u|ue)ckst(a|ae)nd|inkasso|k(u|ue)ndig|restschuld|pf(a|ae)nd|"
    r"kontostatus",
)
# What a lender sets with its decision: its own rating, price and instalment.
DECIDED: Final = re.compile(r"rating_?intern|intern(al|es)?_?(rating|score|grade)|_(sub_)?grade_|_int(erest)?_rate_|"
                            r"zinssatz|_instal?lments?_$|"
                            r"_monthly_payment_|_funded_|risk_(class|grade)|risikoklasse")

TIME: Final = re.compile(r"appli|apply|_app_(date|dt)|issue|orig|approv|disburs|book|grant|open|start|sign|contract|vintage|snapshot|"
                         r"observ|as_of|report|request|antrag|solicitud|demande|creat|decision|statement|month_end|period")
NOT_TIME: Final = re.compile(r"birth|_dob_|geburt|last|next|_end|matur|clos|charge|default|settle|paid|_due|updat|pull|earliest|first|"
                             r"employ|hire|expir")
DATE: Final = re.compile(r"date|datum|fecha|_dt_|month|monat|mois|_mes_|yyyymm|period|vintage|_d_|time|_day_|cohort")

APPLICANT: Final = re.compile(r"_(cust|customer|client|member|borrower|applicant|person|kunden?|cif|party|obligor|debtor|consumer|user|"
                              r"sk_id_curr)(_?(id|no|nr|num|number|key|ref|code|nummer))?_")
KEY: Final = re.compile(r"_(id|no|nr|num|number|key|ref|reference|nummer|guid|uuid|index|idx|serial|rowid)_$|^_(id|sk_id)_|id_$|^_(unnamed|"
                        r"index|rownum)")

# What a header says of an outcome, surest first; where "1", "yes" or "true" stand, the name says which way.
OUTCOME: Final = (
    re.compile(r"_default(ed|s|er|_flag|_ind|_status|_payment_next_month|_in_\w+|_next_\w+|_within_\w+|_12m)?_$|_bad(_flag|_ind|_loan)?_|"
               r"good_?bad|bad_?good|_gb_flag_|loan_status|mis_status|not_fully_paid|serious_?dlq|_charged?_?off(_flag|_ind)?_$|"
               r"ausfall(flag)?_|_impago_|moros|_defaut_|loan_default|creditability|credit_risk_|_fpd_|_npl(_flag)?_"),
    re.compile(r"_target|_label_|_outcome|_class_|_klasse_|good_loan|_repaid_|paid_back|fully_paid|delinquent_|_performance_|risk_flag|_dlq|dpd|past_?due"),
    re.compile(r"^_((loan|account|acct|credit|final|repayment|contract)_)?(status|state|result)_$|^_y_$|_risk_$|_flag_$|_kredit_|_approved_"),
)
DAYS_LATE: Final = re.compile(r"_ever_?[0-9]+|[0-9]+_?dpd|dpd_?[0-9]+")  # "ever 90 days past due within 12 months" is an outcome's word
NAMED_BAD: Final = re.compile(r"default|bad|charge|chgoff|delinq|dlq|npl|late|arrear|ausfall|impago|moros|defaut|fpd|risk|loss|"
                              r"not_fully_paid|dpd|past_?due|overdue")
NAMED_GOOD: Final = re.compile(r"good_loan|_good_|creditability|repaid|paid_back|(?<!not_)fully_paid|approved|performing")

YES: Final = frozenset({"1", "1.0", "y", "yes", "true", "t", "ja", "oui", "si"})
NO: Final = frozenset({"0", "0.0", "n", "no", "false", "f", "nein", "non"})
OPEN: Final = re.compile(r"current|open|active|grace|issued|ongoing|pending|reject|declin|withdrawn|cancel|unknown|missing|indeterminate|"
                         r"in progress|processing|laufend|^\?$|^na$|^n/a$|late \(16|^new$")
GOOD: Final = re.compile(r"fully paid|paid|^pif$|p i f|good|^gut$|repaid|closed|complete|no default|non.?default|not default|performing|"
                         r"^ok$|bueno|current|settled in full|regular|^bon$|prepaid|in order")
BAD_TEXT: Final = re.compile(r"charged?.?off|chg.?off|default|^bad|bad$|delinq|late|past.?due|\bnpl\b|loss|written|write|foreclos|bankrupt|"
                             r"arrear|schlecht|malo|mauvais|ausfall|not paid|unpaid|non.?perform|overdue|collection|repossess|insolven")
NOT_BAD: Final = re.compile(r"no default|non.?default|not default|no loss|never|not late|no delinq|not delinq")

CURRENCIES: Final = frozenset({"usd", "eur", "gbp", "chf", "dm", "jpy", "aud", "cad", "cny", "inr", "twd", "brl", "mxn", "sek",
                               "nok", "dkk", "pln", "zar"})
UNITS: Final = ((re.compile(r"_(months?|mths?|mos?|monate)_"), "months"), (re.compile(r"_(years?|yrs?|jahre)_"), "years"),
                (re.compile(r"_(days?|tage)_"), "days"), (re.compile(r"_(pct|percent|perc|prozent)_"), "percent"),
                (re.compile(r"_(ratio|share|util\w*|dti)_"), "ratio"))

SHORT: Final = {
    "amt": "amount", "amnt": "amount", "mth": "months", "mths": "months", "mnths": "months", "num": "number", "cd": "code",
    "acct": "account", "acc": "account", "bal": "balance", "emp": "employment", "empl": "employment", "inq": "inquiries",
    "delinq": "delinquencies", "util": "utilization", "dti": "debt-to-income ratio", "yrs": "years", "yr": "years", "pct": "percentage",
    "cnt": "count", "avg": "average", "tot": "total", "hist": "history", "inc": "income", "res": "residence", "pmt": "payment",
    "pymnt": "payment", "instal": "instalment", "cust": "customer", "appl": "application", "prop": "property", "trans": "transactions",
    "dep": "dependants", "int": "interest", "revol": "revolving", "dlq": "delinquencies", "addr": "address", "prev": "previous",
    "max": "highest", "min": "lowest", "nr": "number", "no": "number", "lim": "limit",
}
# After Regulation B, 12 CFR 1002, appendix C, sample form C-1, where a reason is a noun phrase.
PHRASES: Final = (
    (re.compile(r"_emp(l|loy(ment|ed)?)?_(length|len|months?|mths|years?|yrs|since|duration|time)|_(months|years)_employed|employment_since"),
     "Length of employment"),
    (re.compile(r"(months|years|time)_(at_)?(current_)?(address|residence)|residence_(since|length|months|years)|addr(ess)?_(months|years)"),
     "Length of residence"),
    (re.compile(r"^_(n|num|number_of)?_?inq(uiries)?(_last)?(_\d+_?m\w*)?_$"), "Number of recent inquiries on credit bureau report"),
    (re.compile(r"^_(loan|credit|requested|req)_(amount|amt|amnt)_$|^_amount_$"), "Amount of credit requested"),
    (re.compile(r"^_(purpose|loan_purpose)_$"), "Purpose of the credit"),
    (re.compile(r"^_(term|loan_term|duration|term_months|duration_months)_$"), "Length of the credit term"),
)
