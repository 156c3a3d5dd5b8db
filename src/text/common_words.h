#pragma once

#include <array>
#include <string_view>

namespace tagclip {

// What most photos show beside the things one looks for: `background` common.
inline constexpr auto kCommonBackground = std::to_array<std::string_view>(
    {"sky",      "cloud", "wall",     "ceiling", "floor",   "window",  "door",
     "building", "road",  "pavement", "fence",   "railing", "stairs",  "grass",
     "tree",     "wood",  "leaves",   "sand",    "soil",    "rock",    "mountain",
     "hill",     "snow",  "river",    "sea",     "water",   "curtain", "shelf",
     "wardrobe", "desk",  "bed",      "lamp",    "blanket", "carpet"});

// Words of everyday photos, things and surroundings, near and far: what other words are measured
// against.
inline constexpr auto kEverydayWords = std::to_array<std::string_view>(
    {"person",   "child",     "hand",        "dog",    "bird",    "horse",     "fish",
     "insect",   "car",       "bus",         "train",  "bicycle", "boat",      "aeroplane",
     "road",     "bridge",    "house",       "tower",  "wall",    "door",      "window",
     "stairs",   "fence",     "street sign", "sky",    "cloud",   "sun",       "mountain",
     "rock",     "sand",      "snow",        "water",  "river",   "beach",     "forest",
     "tree",     "leaf",      "grass",       "flower", "fruit",   "vegetable", "bread",
     "cake",     "plate",     "cup",         "bottle", "knife",   "table",     "chair",
     "sofa",     "bed",       "lamp",        "carpet", "curtain", "book",      "newspaper",
     "computer", "telephone", "television",  "clock",  "shirt",   "shoe",      "hat",
     "bag",      "ball",      "toy",         "tool",   "machine", "wheel",     "rope",
     "box",      "painting"});

}  // namespace tagclip
