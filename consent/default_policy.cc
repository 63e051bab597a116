#include <initializer_list>

#include "consent/policy.h"

namespace consent {
namespace {

void map_all(LabelMap& map, std::string_view label, std::initializer_list<const char*> names) {
    for (const char* name : names) map[name] = {std::string(label)};
}

// Segment's reserved traits and what shops send beside them, in both spellings that SDKs use.
LabelMap default_traits() {
    LabelMap traits;
    map_all(traits, "contact.email", {"email"});
    map_all(traits, "contact.phone", {"phone"});
    map_all(traits, "name",
            {"name", "firstName", "lastName", "middleName", "fullName", "first_name", "last_name",
             "middle_name", "full_name", "firstname", "lastname", "title", "username"});
    map_all(traits, "contact.address",
            {"address", "street", "city", "state", "region", "country", "postalCode", "postal_code",
             "postcode", "zip", "zipcode", "countryCode", "country_code"});
    map_all(traits, "demographic",
            {"age", "birthday", "birthdate", "birthDate", "birth_date", "dateOfBirth",
             "date_of_birth", "gender"});
    map_all(traits, "work",
            {"company", "companyName", "company_name", "industry", "employees", "jobTitle",
             "job_title", "position", "department"});
    map_all(traits, "commerce",
            {"plan",
             "lifetime_value",
             "lifetimeValue",
             "ltv",
             "total_spent",
             "totalSpent",
             "orders",
             "order_count",
             "orderCount",
             "orders_count",
             "ordersCount",
             "average_order_value",
             "averageOrderValue",
             "aov",
             "loyalty_tier",
             "loyaltyTier",
             "loyalty_points",
             "loyaltyPoints",
             "currency",
             "first_order_at",
             "firstOrderAt",
             "last_order_at",
             "lastOrderAt",
             "favourite_category",
             "favouriteCategory",
             "favorite_category",
             "favoriteCategory",
             "favourite_brand",
             "favouriteBrand",
             "favorite_brand",
             "favoriteBrand"});
    map_all(traits, "account",
            {"createdAt", "created_at", "id", "avatar", "description", "website", "locale",
             "language", "timezone"});
    return traits;
}

// The properties of Segment's ecommerce, page and screen specs. `name` and `title` are a product's
// or a page's there, not a person's.
LabelMap default_properties() {
    LabelMap properties;
    map_all(properties, "commerce",
            {"affiliation",  "brand",    "cart_id",         "category",
             "checkout_id",  "coupon",   "coupon_id",       "coupon_name",
             "currency",     "discount", "filters",         "image_url",
             "list_id",      "name",     "order_id",        "payment_method",
             "position",     "price",    "product_id",      "products",
             "promotion_id", "quantity", "query",           "reason",
             "revenue",      "shipping", "shipping_method", "sku",
             "sorts",        "step",     "subtotal",        "tax",
             "total",        "value",    "variant",         "wishlist_id",
             "wishlist_name"});
    map_all(properties, "behaviour",
            {"path", "referrer", "search", "title", "url", "label", "keywords", "tab_url",
             "initial_referrer", "referring_domain", "initial_referring_domain"});
    return properties;
}

LabelMap default_identifier_types() {
    LabelMap types;
    // A hashed address is a pseudonym that anybody with the address can undo.
    map_all(types, "contact.email", {"email", "email_sha256"});
    map_all(types, "contact.phone", {"phone", "phone_sha256"});
    map_all(types, "identifier.account", {"user_id"});
    map_all(types, "identifier.crm", {"crm_id", "loyalty_id"});
    map_all(types, "identifier.device",
            {"device_id", "idfa", "idfv", "gaid", "aaid", "advertising_id", "advertisingId",
             "android_id", "ios.id", "ios.idfa", "ios.idfv", "android.id", "android.idfa",
             "android.gaid", "push_token", "ios.push_token", "android.push_token"});
    map_all(types, "identifier.cookie", {"anonymous_id"});
    return types;
}

// Segment's ecommerce specification, v2 names and the ones before them.
std::vector<EventRule> default_events() {
    std::vector<EventRule> rules;
    for (const char* name : {"Products Searched",
                             "Product List Viewed",
                             "Product List Filtered",
                             "Promotion Viewed",
                             "Promotion Clicked",
                             "Product Clicked",
                             "Product Viewed",
                             "Product Added",
                             "Product Removed",
                             "Cart Viewed",
                             "Checkout Started",
                             "Checkout Step Viewed",
                             "Checkout Step Completed",
                             "Payment Info Entered",
                             "Order Updated",
                             "Order Completed",
                             "Order Refunded",
                             "Order Cancelled",
                             "Coupon Entered",
                             "Coupon Applied",
                             "Coupon Denied",
                             "Coupon Removed",
                             "Product Added to Wishlist",
                             "Product Removed from Wishlist",
                             "Wishlist Product Added to Cart",
                             "Cart Shared",
                             "Product Shared",
                             "Product Reviewed",
                             "Viewed Product",
                             "Viewed Product Category",
                             "Added Product",
                             "Removed Product",
                             "Completed Order"})
        rules.push_back({name, {"commerce"}});
    return rules;
}

std::vector<Label> default_labels() {
    std::vector<Label> labels;
    for (const char* name :
         {"contact.email", "contact.phone", "contact.address", "name", "commerce", "demographic",
          "work", "account", "identifier.account", "identifier.crm", "identifier.device",
          "identifier.cookie", "behaviour"})
        labels.push_back({.name = name});
    return labels;
}

// Network Act Art. 50 and Decree Art. 61 and 62-3: no marketing by night but by e-mail, unless that
// was consented to separately; a reminder every two years, after which silence keeps the consent.
void add_korea(Policy& policy) {
    policy.quiet_hours.push_back(
        {.jurisdiction = "KR",
         .mediums = {Medium::sms, Medium::push, Medium::kakao, Medium::other},
         .from = std::chrono::hours{21},
         .until = std::chrono::hours{8},
         .offset = std::chrono::hours{9},
         .unless_granted = "night"});
    policy.reconfirmations.push_back({.jurisdiction = "KR", .every = std::chrono::days{730}});
    policy.advertisement_label.push_back("KR");
}

}  // namespace

Policy default_policy() {
    Policy policy;
    // docs/decisions/0025.
    policy.purposes = {
        {.name = "advertising",
         .regime = Regime::person_opt_in,
         .signals = {"gpc", "gpp/sale", "gpp/sharing", "gpp/targeted_ads", "gpp/unknown_section",
                     "tcf/3", "tcf/4", "att"}},
        {.name = "analytics", .regime = Regime::person_opt_in, .signals = {"tcf/8", "tcf/9"}},
        {.name = "email_marketing",
         .regime = Regime::identifier_opt_in,
         .target_types = {"email"}}};
    policy.channels = {
        {.id = "email_tool",
         .recipient = "The e-mail tool",
         .purposes = {"email_marketing"},
         .labels = {{"contact.email", Transform::raw},
                    {"name", Transform::raw},
                    {"commerce", Transform::raw}}},
        {.id = "ads_tool",
         .recipient = "The ads tool",
         .purposes = {"advertising"},
         .labels = {{"contact.email", Transform::sha256}, {"commerce", Transform::raw}}}};
    policy.labels = default_labels();
    policy.traits = default_traits();
    policy.properties = default_properties();
    policy.identifier_types = default_identifier_types();
    policy.identifier_default = {"identifier.crm"};
    policy.events = default_events();
    policy.event_default = {"behaviour"};
    add_korea(policy);
    return policy;
}

}  // namespace consent
